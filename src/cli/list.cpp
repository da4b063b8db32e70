#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "io/report/report.hpp"
#include "pipeline/listing.hpp"

namespace lapis::cli {
namespace {

struct ListOptions {
  std::string name = "models";
  bool json = false;
};

int list(const ListOptions& options) {
  Progress progress;
  const Events events = listener(progress);
  pipeline::ModelCatalog catalog;
  const auto spell = [](std::string_view text) { return spelled(text); };
  const pipeline::Rows rows = pipeline::listed(options.name, {catalog, events, spell, options.json});
  if (options.json) {
    print_json(io::table_report(rows));
  } else {
    print_table(rows);
  }
  return 0;
}

}  // namespace

Run declare_list(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  const std::string choices = core::either_of(pipeline::listing_names());
  OptionGroup(app).value("what", options->name, "WHAT", choices)->capture_default_str();
  declare_json(app, options->json, "The same as a JSON array");
  app.footer("Examples:\n  lapis list\n  lapis list samplers --json");
  return [options] { return list(*options); };
}

}  // namespace lapis::cli
