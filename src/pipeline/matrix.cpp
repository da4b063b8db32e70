#include "pipeline/matrix.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "io/latent/latent_file.hpp"
#include "io/model/model_folder.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "lapis/error.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/named_latent.hpp"
#include "pipeline/render_request.hpp"
#include "pipeline/route_target.hpp"
#include "pipeline/run_route.hpp"

namespace lapis::pipeline {
namespace {

constexpr std::size_t fewest = 2;
constexpr std::size_t most = 6;

/// A known model of each family, in their order, as far as their VAEs differ.
std::vector<Model> known_families(ModelCatalog& catalog) {
  std::vector<Model> models;
  for (const core::FamilyRow& family : core::families()) {
    const auto is_new = [&](const Model& model) {
      return model.family == family.name && std::none_of(models.begin(), models.end(), [&](const Model& other) {
               return core::same_values(model.space, other.space);
             });
    };
    if (const Model* model = catalog.find(is_new)) models.push_back(*model);
  }
  if (models.size() > most) models.resize(most);
  return models;
}

void check_count(std::size_t count) {
  if (count >= fewest && count <= most) return;
  throw Error(ErrorKind::usage,
              core::sentence("a matrix has {} to {} latents or models, and here {} {}.", fewest, most,
                             count == 1 ? "is" : "are", count),
              core::sentence("Name latents of different spaces, or models: {lapis matrix} a.safetensors tiny-sdxl "
                             "tiny-flux"));
}

NamedLatent read_latent(const std::string& path) {
  try {
    return named_latent(io::LatentSource(path), {});
  } catch (const Error& error) {
    const std::vector<std::string> fields = error.fields();
    if (std::ranges::find(fields, "space") == fields.end()) throw;
    throw Error(error.kind(), core::sentence("{} does not say its space.", path),
                core::sentence("Give it a passport first: {lapis convert} {} {space} SPACE {format} lapis {-output} "
                               "new.safetensors",
                               core::file_word(path)));
  }
}

MatrixRow latent_row(const std::string& path, ModelCatalog& catalog, const Events& events) {
  NamedLatent latent = read_latent(path);
  const Passport& passport = latent.passport();
  const Model* model = catalog.decoder_of(passport);
  if (model == nullptr) {
    throw Error(
        ErrorKind::incompatible,
        core::sentence(
            "{} is in space {} ({}), and no known model has its VAE{}.", latent.name, core::space_name(passport.space),
            core::space_numbers(passport.space),
            passport.vae_sha256.empty() ? "" : core::sentence(" of digest {}", passport.vae_sha256.substr(0, 12))),
        "Put the folder that the model lies in into LAPIS_MODELS");
  }
  const core::Route route = core::plan_route({latent.name, passport, latent.latent.layout}, decoder_target(*model), {},
                                             {.may_convert = false});
  core::require(route);
  const std::int64_t batch = passport.shape[0];
  if (batch > 1) tell(events.note, core::sentence("{}: the first of {} pictures", latent.name, batch));
  Latent first = core::picture_of(io::to_latent(run_route(route, latent.latent.document, {}).document), 0);
  return {latent.name, *model, std::nullopt, passport, std::move(first), latent.latent.layout};
}

/// What every model renders.
Job job_of(const MatrixPrompt& prompt) {
  Job job;
  job.prompt = prompt.text.value_or(matrix_prompt);
  job.seed = prompt.seed.empty() ? matrix_seed : core::parse_seed(prompt.seed, core::field_name("seed"));
  job.vae_tiling = prompt.compute.tiling;
  job.device = prompt.compute.device;
  job.dtype = prompt.compute.dtype;
  job.threads = prompt.compute.threads;
  return job;
}

MatrixRow model_row(Model model, const Job& job, std::uint64_t random) {
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
                core::sentence("{} has no {}, without which nothing goes into its space and comes out again.",
                               model.name, part),
                "Name a model that has one");
  }
}

void check_prompt(const std::vector<MatrixRow>& rows, const MatrixPrompt& prompt) {
  const bool renders = std::ranges::any_of(rows, [](const MatrixRow& row) { return row.job.has_value(); });
  if (renders || (!prompt.text && prompt.seed.empty())) return;
  throw Error(ErrorKind::usage,
              core::sentence("a prompt and a seed are for models, and only latents are named. Leave {-prompt} and "
                             "{-seed} out"));
}

/// The way of one row's latent into the space of another.
core::Route route_between(const MatrixRow& row, const MatrixRow& other) {
  core::RouteTarget target = route_target(other.model);
  target.size_multiple = other.model.space.downscale;  // nothing denoises there
  return core::plan_route({row.name, row.passport, row.layout, row.model.space}, target, {true, true},
                          {.measure = true, .compensate = true});
}

/// Whether the latent of one row can be carried into the space of another.
void check_way(const MatrixRow& row, const MatrixRow& other) {
  const Space& space = row.model.space;
  if (core::same_values(space, other.model.space)) {
    throw Error(ErrorKind::usage,
                core::sentence("{} and {} are both in space {}, and a matrix shows different ones.", row.name,
                               other.name, core::space_name(space)),
                "Leave one of the two out");
  }
  core::require(route_between(row, other));
}

/// Compares the files that each row needs with their digests.
void verify(const std::vector<MatrixRow>& rows) {
  static const std::array<std::string, 2> both = {"vae_decoder", "vae_encoder"};
  for (const MatrixRow& row : rows) {
    if (row.job) {
      io::verify_files(row.model);
    } else {
      io::verify_parts(row.model, both);
    }
  }
}

/// Renders the latent of a row that has a job.
void render(MatrixRow& row, io::Tokenizers& tokenizers, Engine& engine, const Events& events) {
  ResolvedJob& job = *row.job;
  Attachments attachments;  // of no embedding
  io::PromptReader prompts(row.model, attachments, job, {});
  io::EncodedPrompts encoded = prompts.encode(tokenizers);
  for (const std::string& warning : prompts.warnings()) tell(events.warning, warning);
  RenderRequest request = render_request(job, row.model, std::move(encoded));
  request.decodes = false;
  engine.render(
      row.model, request, events.step ? events.step : [](int, int) {},
      [&](const Rendered& picture) {
        if (events.picture) events.picture();
        row.latent = picture.latent;
      });
  tell(events.note, core::sentence("{}: rendered \"{}\", seed {}", row.name, job.prompt, job.seed));
}

/// One `fill_matrix`.
class Filling {
 public:
  Filling(const std::vector<MatrixRow>& rows, const std::string& tiling, Engine& engine, const Events& events)
      : rows_(rows), tiling_(tiling), engine_(engine), events_(events) {}

  core::Matrix run() {
    matrix_.cells.resize(rows_.size() * rows_.size());
    for (const MatrixRow& row : rows_) {
      if (row.job && !matrix_.prompt) {
        matrix_.prompt = row.job->prompt;
        matrix_.seed = row.job->seed;
      }
      core::MatrixLatent latent;
      latent.name = row.name;
      latent.rendered = row.job.has_value();
      latent.model = row.model.name;
      latent.vae_sha256 = io::vae_digest(row.model);
      latent.space = row.model.space;
      matrix_.latents.push_back(std::move(latent));
    }
    for (std::size_t row = 0; row < rows_.size(); ++row) fill_row(row);
    return std::move(matrix_);
  }

 private:
  void fill_row(std::size_t index) {
    const MatrixRow& row = rows_[index];
    Image& right = matrix_.latents[index].right;
    right = std::move(engine_.decode(row.model, row.latent, tiling_of(row.passport, tiling_)).images.front());
    for (std::size_t column = 0; column < rows_.size(); ++column) {
      if (column == index) continue;
      core::MatrixCell& cell = matrix_.cell(index, column);
      force(row, rows_[column].model, right, cell);
      convert(row, rows_[column], right, cell);
    }
  }

  /// By the decoder in use. Garbage may be so bad that it gives no picture at all: that is what there is to see.
  void force(const MatrixRow& row, const Model& decoder, const Image& right, core::MatrixCell& cell) {
    if (const std::optional<std::string> refusal = core::forcing_refusal(row.model.space, decoder.space)) {
      cell.refusal = *refusal;
      return;
    }
    try {
      cell.forced = core::compared(
          std::move(engine_.decode(decoder, row.latent, tiling_of(row.passport, tiling_), true).images.front()), right);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::numeric) throw;
      cell.refusal = "cannot be decoded: NaN, Inf or one flat colour";
    }
  }

  void convert(const MatrixRow& row, const MatrixRow& other, const Image& right, core::MatrixCell& cell) {
    RouteTools tools;
    tools.models.target = &other.model;
    tools.tiling = tiling_;
    tools.engine = [this]() -> Engine& { return engine_; };
    Transcoded transcoded = run_route(route_between(row, other), row.passport, {right}, tools);
    tell(events_.note, announcement(row.name, transcoded));
    cell.transcode = transcoded.added.front();
    cell.converted = core::compared(std::move(transcoded.shown.front()), right);
  }

  const std::vector<MatrixRow>& rows_;
  const std::string& tiling_;
  Engine& engine_;
  const Events& events_;
  core::Matrix matrix_;
};

}  // namespace

std::vector<MatrixRow> read_matrix_rows(const std::vector<std::string>& words, const MatrixPrompt& prompt,
                                        ModelCatalog& catalog, const Events& events) {
  const std::uint64_t random = random_number();
  const Job job = job_of(prompt);
  std::vector<MatrixRow> rows;
  if (words.empty()) {
    for (Model& model : known_families(catalog)) rows.push_back(model_row(std::move(model), job, random));
    check_count(rows.size());
  } else {
    check_count(words.size());
    for (const std::string& word : words)
      rows.push_back(names_file(word) ? latent_row(word, catalog, events) : model_row(catalog.open(word), job, random));
  }
  for (const MatrixRow& row : rows) check_vae(row.model);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (i != j) check_way(rows[i], rows[j]);
    }
  }
  check_prompt(rows, prompt);
  return rows;
}

core::Matrix fill_matrix(std::vector<MatrixRow>& rows, const std::string& tiling, EngineDoor& door,
                         const Events& events) {
  door.begin();
  verify(rows);
  Engine& engine = door.engine();
  io::Tokenizers tokenizers;
  for (MatrixRow& row : rows) {
    if (row.job) render(row, tokenizers, engine, events);
  }
  return Filling(rows, tiling, engine, events).run();
}

}  // namespace lapis::pipeline
