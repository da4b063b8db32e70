#include "lapis/error.hpp"

#include <algorithm>
#include <cassert>
#include <span>

#include "core/text/exit_codes.hpp"
#include "core/text/names.hpp"

namespace lapis {

int exit_code(ErrorKind kind) {
  const std::span<const core::ExitCode> rows = core::exit_codes();
  const auto row = std::ranges::find(rows, std::optional(kind), &core::ExitCode::kind);
  assert(row != rows.end());
  return row->code;
}

Error::Error(ErrorKind kind, const std::string& problem, const std::string& advice)
    : std::runtime_error(core::plain(advice.empty() ? problem : problem + "\n" + advice)),
      kind_(kind),
      marked_(std::make_shared<const Texts>(Texts{problem, advice})) {}

std::string Error::problem() const { return core::plain(marked_->problem); }

std::string Error::advice() const { return core::plain(marked_->advice); }

std::vector<std::string> Error::fields() const { return core::fields_in(marked_->problem + marked_->advice); }

}  // namespace lapis
