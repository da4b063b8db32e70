#include "cli/latent_output.hpp"

#include <cstddef>
#include <vector>

#include "cli/terminal.hpp"
#include "io/atomic_file.hpp"
#include "io/latent_file.hpp"
#include "io/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

void append(std::vector<float>& to, const std::vector<float>& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace

void LatentOutput::check() const {
  if (!is_stdout()) {
    io::check_writable(path_, overwrite_);
  } else if (stdout_is_terminal()) {
    throw Error(
        ErrorKind::usage,
        "--latent - would write numbers to the terminal. Pipe them: lapis generate ... --latent - > a.safetensors");
  }
}

void LatentOutput::add(const Latent& latent) {
  if (latent_.values.empty()) {
    latent_ = latent;
    return;
  }
  latent_.shape[0] += latent.shape[0];
  append(latent_.values, latent.values);
  for (std::size_t i = 0; i < latent_.memory.size(); ++i) append(latent_.memory[i], latent.memory.at(i));
}

std::string LatentOutput::write(Passport passport) const {
  const std::vector<std::byte> bytes = io::latent_bytes(io::to_document(latent_, std::move(passport)));
  if (is_stdout()) {
    print_bytes(bytes);
  } else {
    io::write_file(path_, bytes, overwrite_);
  }
  return io::sha256(bytes);
}

}  // namespace lapis::cli
