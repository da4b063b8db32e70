#include "cli/latent_options.hpp"

#include <algorithm>
#include <unistd.h>
#include <vector>

#include "cli/option_group.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/units.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* compute_group = "VAE and machine";

/// A field that notes whether something is said of it.
template <typename Value>
void declare_noted(const OptionGroup& group, const char* key, Value& value, pipeline::ComputeOptions& options) {
  group.field(key, value)->each([key, &options](const std::string&) { options.named.emplace(key); });
}

/// "in_units" of "--in-units".
std::string key_of(std::string_view flag) {
  std::string key(flag.substr(2));
  std::ranges::replace(key, '-', '_');
  return key;
}

}  // namespace

void declare_hints(CLI::App& app, pipeline::HintWords& options, const HintFlags& flags) {
  const OptionGroup group(app, "What a latent's file does not say itself");
  group.field("space", options.space);
  group.field("init_units", options.units, flags.units);
  group.field("init_format", options.format, flags.format);
  group.field("init_size", options.size, flags.size);
}

io::HintKeys hint_keys(const HintFlags& flags) {
  return {"space", key_of(flags.units), key_of(flags.format), key_of(flags.size)};
}

io::LatentHints latent_hints(const pipeline::HintWords& options, pipeline::ModelCatalog& catalog,
                             const HintFlags& flags) {
  return pipeline::latent_hints(options, catalog, hint_keys(flags));
}

pipeline::NamedLatent read_named_latent(const std::string& path, const io::LatentHints& hints) {
  return pipeline::named_latent(latent_source(path, "lapis generate ... --latent - | lapis decode -"), hints);
}

io::LatentSource latent_source(const std::string& path, const std::string& line, bool or_picture) {
  if (path == "-" && isatty(STDIN_FILENO) != 0) {
    throw Error(ErrorKind::usage, core::sentence("- would read a latent from the terminal. Pipe one: {}", line));
  }
  return io::LatentSource(path, io::LatentSource::largest_pipe, or_picture);
}

void declare_compute(CLI::App& app, pipeline::ComputeOptions& options) {
  declare_noted(OptionGroup(app, compute_group), "vae_tiling", options.tiling, options);
  declare_noted(OptionGroup(app, compute_group), "vae_dtype", options.dtype, options);
  declare_machine(app, options, compute_group);
}

void declare_machine(CLI::App& app, pipeline::ComputeOptions& options, const char* title) {
  const OptionGroup group(app, title);
  declare_noted(group, "device", options.device, options);
  declare_noted(group, "threads", options.threads, options);
}

void declare_output_format(CLI::App& app, std::string& format) {
  OptionGroup(app, "Output").field("init_format", format, "--format");
}

void declare_output_numbers(CLI::App& app, std::string& units, std::string& dtype) {
  const OptionGroup group(app, "Output");
  group.field("init_units", units, "--units");
  group.value("--dtype", dtype, "NAME", core::either_of(core::row_names(core::latent_dtypes())));
}

}  // namespace lapis::cli
