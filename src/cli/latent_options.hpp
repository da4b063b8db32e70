// Options that commands about latents share: what a file does not say of itself, and where its VAE runs.
#pragma once

#include <string>

#include "io/latent/latent_formats.hpp"
#include "lapis/latent.hpp"
#include "pipeline/asked.hpp"
#include "pipeline/latent_words.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/named_latent.hpp"

namespace CLI {
class App;
}

namespace lapis::cli {

/// What a command calls these options, but for --space, which all call so.
struct HintFlags {
  const char* units = "--units";
  const char* format = "--format";
  const char* size = "--size";
};

inline constexpr HintFlags plain_flags;
inline constexpr HintFlags in_flags = {"--in-units", "--in-format", "--in-size"};

/// Declares them as the job's fields of a latent to start from are declared.
void declare_hints(CLI::App& app, pipeline::HintWords& options, const HintFlags& flags = plain_flags);

/// The keys of fields that these flags stand for.
io::HintKeys hint_keys(const HintFlags& flags);

/// `pipeline::latent_hints` of what these options say.
io::LatentHints latent_hints(const pipeline::HintWords& options, pipeline::ModelCatalog& catalog,
                             const HintFlags& flags = plain_flags);

/// Where a latent comes from, or a picture where `or_picture`: a file, or standard input for "-". Throws Error{usage}
/// for a terminal; `line` is one that pipes a latent. Else as of `io::LatentSource`.
io::LatentSource latent_source(const std::string& path, const std::string& line, bool or_picture = false);

/// Opens and reads a latent: `latent_source` and `pipeline::named_latent`.
pipeline::NamedLatent read_named_latent(const std::string& path, const io::LatentHints& hints);

/// Declares --vae-tiling, --vae-dtype, --device and --threads.
void declare_compute(CLI::App& app, pipeline::ComputeOptions& options);

/// Declares --device and --threads, under a title of the command's help.
void declare_machine(CLI::App& app, pipeline::ComputeOptions& options, const char* title);

/// Declares --format of a latent that is written, and --units and --dtype of its numbers.
void declare_output_format(CLI::App& app, std::string& format);
void declare_output_numbers(CLI::App& app, std::string& units, std::string& dtype);

}  // namespace lapis::cli
