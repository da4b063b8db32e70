#include "cli/matrix_rows.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <utility>

#include "cli/crossing.hpp"
#include "cli/places.hpp"
#include "cli/progress.hpp"
#include "cli/render_request.hpp"
#include "cli/terminal.hpp"
#include "core/family/families.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/family/spaces.hpp"
#include "io/latent/latent_file.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr std::size_t fewest = 2;
constexpr std::size_t most = 6;

/// A known model of each family, in their order, as far as their VAEs differ.
std::vector<Model> known_families() {
  std::vector<Model> models;
  for (const core::FamilyRow& family : core::families()) {
    const auto is_new = [&](const Model& model) {
      return model.family == family.name && std::none_of(models.begin(), models.end(), [&](const Model& other) {
               return core::same_values(model.space, other.space);
             });
    };
    if (std::optional<Model> model = known_model(is_new)) models.push_back(std::move(*model));
  }
  if (models.size() > most) models.resize(most);
  return models;
}

void check_count(std::size_t count) {
  if (count >= fewest && count <= most) return;
  throw Error(ErrorKind::usage,
              "a matrix has " + std::to_string(fewest) + " to " + std::to_string(most) +
                  " latents or models, and here " + (count == 1 ? "is " : "are ") + std::to_string(count) + ".",
              "Name latents of different spaces, or models: lapis matrix a.safetensors tiny-sdxl tiny-flux");
}

NamedLatent read_latent(const std::string& path) {
  try {
    return read_named_latent(path, {});
  } catch (const Error& error) {
    const std::string text = error.what();
    if (text.find("--space") == std::string::npos) throw;
    throw Error(error.kind(), path + " does not say its space.",
                "Give it a passport first: lapis convert " + path + " --space SPACE --form lapis -o new.safetensors");
  }
}

MatrixRow latent_row(const std::string& path) {
  NamedLatent latent = read_latent(path);
  const Passport& passport = latent.passport();
  std::optional<Model> model = own_model(passport, std::nullopt);
  if (!model) {
    throw Error(ErrorKind::incompatible,
                latent.name + " is in space " + core::space_name(passport.space) + " (" +
                    core::space_numbers(passport.space) + "), and no known model has its VAE" +
                    (passport.vae_sha256.empty() ? "" : " of digest " + passport.vae_sha256.substr(0, 12)) + ".",
                "Put the folder that the model lies in into LAPIS_MODELS");
  }
  core::Destination own = destination_of(*model);
  own.size_multiple = 1;
  core::require(core::judge(latent.name, passport, latent.latent.layout, own, {false, false, false}));
  const std::int64_t batch = passport.shape[0];
  if (batch > 1) print_note(latent.name + ": the first of " + std::to_string(batch) + " pictures");
  Latent first = in_space(core::picture_of(io::to_latent(latent.latent.document), 0), model->space);
  return {latent.name, std::move(*model), std::nullopt, passport, std::move(first), latent.latent.layout};
}

MatrixRow model_row(Model model, const MatrixPrompt& prompt, std::uint64_t random) {
  Job job;
  job.prompt = prompt.text;
  job.seed = prompt.seed;
  job.vae_tiling = prompt.place.tiling;
  job.device = prompt.place.device;
  job.dtype = prompt.place.dtype;
  job.threads = prompt.place.threads;
  MatrixRow row;
  row.job = core::resolve(job, model, random);
  row.name = model.name;
  row.passport = passport_of(*row.job, model);
  row.model = std::move(model);
  return row;
}

void check_vae(const Model& model) {
  for (const char* part : {"vae_decoder", "vae_encoder"}) {
    if (model.parts.contains(part)) continue;
    throw Error(ErrorKind::model,
                model.name + " has no " + part + ", without which nothing goes into its space and comes out again.",
                "Name a model that has one");
  }
}

/// Whether the latent of one row can be carried into the space of another.
void check_way(const MatrixRow& row, const MatrixRow& other) {
  const Space& space = row.model.space;
  if (core::same_values(space, other.model.space)) {
    throw Error(ErrorKind::usage,
                row.name + " and " + other.name + " are both in space " + core::space_name(space) +
                    ", and a matrix shows different ones.",
                "Leave one of the two out");
  }
  core::Destination target = destination_of(other.model);
  target.size_multiple = other.model.space.downscale;  // nothing denoises there
  core::require(core::judge(row.name, row.passport, row.layout, target, {true, true, true}));
}

}  // namespace

std::vector<MatrixRow> read_matrix_rows(const std::vector<std::string>& words, const MatrixPrompt& prompt) {
  std::random_device device;
  const std::uint64_t random = (std::uint64_t{device()} << 32) | device();
  std::vector<MatrixRow> rows;
  if (words.empty()) {
    for (Model& model : known_families()) rows.push_back(model_row(std::move(model), prompt, random));
    check_count(rows.size());
  } else {
    check_count(words.size());
    for (const std::string& word : words)
      rows.push_back(names_file(word) ? latent_row(word) : model_row(checked_model(word), prompt, random));
  }
  for (const MatrixRow& row : rows) check_vae(row.model);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (i != j) check_way(rows[i], rows[j]);
    }
  }
  return rows;
}

void render(MatrixRow& row, Engine& engine) {
  ResolvedJob& job = *row.job;
  io::PromptReader prompts(row.model, job, {});
  io::EncodedPrompts encoded = prompts.encode();
  for (const std::string& warning : prompts.warnings()) print_warning(warning);
  RenderRequest request = render_request(job, row.model, std::move(encoded));
  request.decodes = false;
  engine.use(row.model);
  Progress progress;
  engine.render(
      request, [&](int done, int all) { progress.update(done, all); },
      [&](const Rendered& picture) {
        progress.clear();
        row.latent = picture.latent;
      });
  print_note(row.name + ": rendered \"" + job.prompt + "\", seed " + std::to_string(job.seed));
}

}  // namespace lapis::cli
