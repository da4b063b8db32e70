#include "cli/latent_output.hpp"

#include <cstddef>
#include <vector>

#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "io/file/atomic_file.hpp"
#include "io/latent/latent_file.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
void LatentOutput::check() const {
  if (!is_stdout()) {
    io::check_writable(path_, overwrite_);
  } else if (stdout_is_terminal()) {
    throw Error(
        ErrorKind::usage,
        "--latent - would write numbers to the terminal. Pipe them: lapis generate ... --latent - > a.safetensors");
  }
}

std::string LatentOutput::write(Passport passport) const {
  const std::vector<std::byte> bytes = io::latent_bytes(io::to_document(latent_, std::move(passport)));
  write_output(path_, bytes, overwrite_);
  return io::sha256(bytes);
}

}  // namespace lapis::cli
