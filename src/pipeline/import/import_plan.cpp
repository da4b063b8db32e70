#include "pipeline/import/import_plan.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/checkpoint/known_relatives.hpp"
#include "core/checkpoint/leftover_tensors.hpp"
#include "core/checkpoint/weight_scales.hpp"
#include "core/family/families.hpp"
#include "core/family/recipes.hpp"
#include "core/family/spaces.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "io/checkpoint/diffusers_folder.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "io/model/tokenizer_files.hpp"
#include "io/model/vae_config.hpp"
#include "lapis/error.hpp"
#include "pipeline/import/import_graphs.hpp"
#include "pipeline/import/import_sampling.hpp"
#include "pipeline/import/model_folder_builder.hpp"
#include "pipeline/locations.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

bool names_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// A folder that is one component of a model.
void refuse_component(const std::string& path) {
  std::error_code error;
  const fs::path place = fs::absolute(path, error).lexically_normal();
  if (!io::is_file(place / "config.json") || io::component_weights(place, ".").empty()) return;
  const fs::path above = (place.has_filename() ? place : place.parent_path()).parent_path();
  const bool within = io::is_diffusers_folder(above);
  throw Error(
      ErrorKind::input,
      core::sentence("{} is one component of a diffusers model, with its config.json and its weights, and no model.",
                     path),
      within ? core::sentence("Name the folder of all of them: {lapis import} {}", core::shell_word(above.string()))
             : "Name the folder of all of them, the one with model_index.json");
}

[[noreturn]] void refuse_quantized(const std::string& name, const std::string& method, const char* why) {
  throw Error(ErrorKind::input,
              core::sentence("{} is quantized by {}, as its config.json says, {}.", name, io::printable(method), why),
              "Take the model in F16, BF16 or F32, or in F8 with its scales");
}

}  // namespace

std::string field_of(const std::string& part, core::Architecture architecture) {
  if (part.starts_with("vae")) return "vae";
  if (part == "text_encoder") return "clip_l";
  if (part == "text_encoder_2") return architecture == core::Architecture::flux ? "t5xxl" : "clip_g";
  return "";
}

ImportPlan::ImportPlan(const ImportSources& sources, ModelCatalog& catalog)
    : asked_(sources), library_(bundled_folder("graphs")), catalog_(catalog), models_(catalog.all()) {
  // What an imported model was made like comes before it, so that the next one is made like that too.
  std::stable_partition(models_.begin(), models_.end(),
                        [](const Model* model) { return !model->origin.starts_with(imported); });
  for (const Model* model : models_) library_.add(*model);
  add_named(sources.vae, "vae", {"vae"});
  add_named(sources.clip_l, "clip_l", {"text_encoder"});
  add_named(sources.clip_g, "clip_g", {"text_encoder_2", "text_encoder"});
  add_named(sources.t5xxl, "t5xxl", {"text_encoder_2", "text_encoder"});
  for (const std::string& path : sources.main) add_source(path);
  refuse_strangers();
  choose_template();
  take_parts();
  check_leftovers();
  check_given();
  check_lacking();
  check_dtypes();
  if (const Source* source = vae_source()) {
    check_vae_config(*source);
    check_vae_file(*source);
  }
  take_tokenizers();
  find_sampling();
  find_taught();
  note_extras();
}

void ImportPlan::add_files(std::vector<fs::path> files, const std::string& name, const std::string& field,
                           std::optional<fs::path> folder) {
  const std::string method = folder ? io::quant_method(*folder) : "";
  if (!method.empty() && !core::has_scales(method)) refuse_quantized(name, method, "which lapis does not apply");
  Source source{name, field, io::Checkpoint(std::move(files)), {}, std::move(folder)};
  if (!method.empty() && !source.checkpoint.has_scales()) refuse_quantized(name, method, "and holds no scales");
  source.kind = core::identify(source.checkpoint.tensors(), library_.architectures());
  sources_.push_back(std::move(source));
}

void ImportPlan::add_named(const std::string& path, const std::string& field,
                           const std::vector<std::string>& components) {
  if (path.empty()) return;
  if (!names_folder(path)) {
    add_files({path}, path, field, std::nullopt);
    return;
  }
  for (const std::string& component : components) {
    std::vector<fs::path> files = io::component_weights(path, component);
    if (files.empty()) continue;
    add_files(std::move(files), path + "/" + component, field, fs::path(path) / component);
    return;
  }
  std::vector<fs::path> files = io::component_weights(path, ".");
  if (files.empty()) {
    throw Error(ErrorKind::input,
                core::sentence("{} {} is a folder without weights in safetensors.", core::field_name(field), path),
                "Name the file");
  }
  add_files(std::move(files), path, field, fs::path(path));
}

void ImportPlan::add_source(const std::string& path) {
  refuse_repository(path);
  if (!names_folder(path)) {
    add_files({path}, path, "", std::nullopt);
    return;
  }
  if (!io::is_diffusers_folder(path)) {
    refuse_component(path);
    throw Error(ErrorKind::input,
                core::sentence("{} is a folder without a model_index.json, so it is no diffusers model.", path),
                "Name such a folder, or the checkpoint's files");
  }
  folder_ = path;
  pipeline_ = io::pipeline_class(path);
  for (const char* component : {"unet", "transformer", "vae", "text_encoder", "text_encoder_2"}) {
    std::vector<fs::path> files = io::component_weights(path, component);
    if (!files.empty()) add_files(std::move(files), path + "/" + component, "", fs::path(path) / component);
  }
}

/// Where a part of that graph's architecture is held. What a field names is there for its part alone.
std::pair<const ImportPlan::Source*, const core::GraphMatch*> ImportPlan::find_part(const std::string& part,
                                                                                    const std::string& graph) const {
  const std::string field = field_of(part, core::find_family(model_.family)->architecture);
  for (const Source& source : sources_) {
    if (!source.field.empty() && source.field != field) continue;
    for (const core::GraphMatch& match : source.kind.complete) {
      if (match.graph == library_.architecture_of(graph)) return {&source, &match};
    }
  }
  return {nullptr, nullptr};
}

std::pair<const ImportPlan::Source*, const core::GraphMatch*> ImportPlan::denoiser() const {
  for (const Source& source : sources_) {
    for (const core::GraphMatch& match : source.kind.complete) {
      if (match.part == "denoiser" && source.field.empty()) return {&source, &match};
    }
  }
  refuse_unknown();
}

void ImportPlan::choose_template() {
  const auto [source, match] = denoiser();
  if (const core::Recipe* recipe = core::find_recipe(match->graph)) {
    title_ = recipe->title;
    if (recipe->family.empty()) refuse_source(*source, *core::find_relative(source->checkpoint.tensors()));
    check_twins(*source, match->graph);
    take_recipe(*recipe);
    return;
  }
  const Model* first = nullptr;
  for (const Model* model : models_) {
    if (library_.architecture_of(io::graph_name(*model, "denoiser")) != match->graph) continue;
    if (first == nullptr) first = model;
    take_example(*model);
    if (!lacks_any()) return note_example();
  }
  take_example(*first);
}

void ImportPlan::take_recipe(const core::Recipe& recipe) {
  wanted_ = recipe.parts;
  model_.family = recipe.family;
  model_.sampling = recipe.sampling;
  model_.defaults = recipe.defaults;
  model_.conditioning = recipe.conditioning;
  model_.tokenizers = recipe.tokenizers;
  model_.space = core::find_space(core::find_family(model_.family)->space)->space;
}

/// Makes the model like a known one of its architecture.
void ImportPlan::take_example(const Model& model) {
  title_ = core::sentence("the architecture of {}", model.folder.filename().string());
  wanted_.clear();
  for (const auto& [part, facts] : model.parts) wanted_[part] = io::graph_name(model, part);
  model_ = model;
  model_.parts.clear();
  model_.files.clear();
  model_.taught.reset();  // of other weights, unless `find_taught` finds it
}

/// What only another import tells, that import's own files and options may have decided.
void ImportPlan::note_example() {
  if (model_.origin.starts_with(imported)) {
    notes_.push_back(
        core::sentence("nothing but the imported model {} is known to be of this architecture: what no "
                       "file says of sampling, sizes and tokenizers is taken from it",
                       model_.folder.filename().string()));
  }
}

/// Whether a part that the family needs is held by no source.
bool ImportPlan::lacks(const std::string& part) const {
  return core::find_part(*core::find_family(model_.family), part)->required &&
         find_part(part, wanted_.at(part)).second == nullptr;
}

bool ImportPlan::lacks_any() const {
  return std::ranges::any_of(wanted_, [&](const auto& part) { return lacks(part.first); });
}

void ImportPlan::take_parts() {
  for (const auto& [part, graph] : wanted_) {
    const auto [source, match] = find_part(part, graph);
    if (match != nullptr) parts_.push_back({part, *match, library_.graph(graph), &source->checkpoint});
  }
}

/// The tensors of `source` that no part takes and that speak of a part which is taken from it: beside a denoiser, all
/// of them; beside others, those in their realms.
std::vector<core::TensorShape> ImportPlan::leftovers_of(const Source& source,
                                                        const std::vector<std::string>& realms) const {
  const bool has_denoiser = std::any_of(parts_.begin(), parts_.end(), [&](const ImportedPart& part) {
    return part.checkpoint == &source.checkpoint && part.part == "denoiser";
  });
  std::vector<core::TensorShape> leftovers;
  for (const core::TensorShape& tensor : source.kind.extra) {
    const bool within = std::any_of(realms.begin(), realms.end(),
                                    [&](const std::string& realm) { return tensor.name.starts_with(realm); });
    if (has_denoiser || within) leftovers.push_back(tensor);
  }
  return leftovers;
}

void ImportPlan::check_leftovers() const {
  for (const Source& source : sources_) {
    std::vector<std::string> realms;
    for (const ImportedPart& part : parts_) {
      if (part.checkpoint != &source.checkpoint) continue;
      const std::vector<std::string> more = core::realm_of(part.match, part.graph.known);
      realms.insert(realms.end(), more.begin(), more.end());
    }
    const auto fault = core::leftover_fault(leftovers_of(source, realms), realms, source.name);
    if (fault) throw Error(ErrorKind::input, source.name + fault->problem, fault->advice);
  }
}

void ImportPlan::check_dtypes() const {
  for (const ImportedPart& part : parts_) {
    const std::string odd = part.checkpoint->odd_dtype_of(part.match, part.graph.known);
    if (odd.empty()) continue;
    const fs::path file = part.checkpoint->files_of(part.match, part.graph.known).front();
    throw Error(ErrorKind::input,
                core::sentence("{}: part {} is quantized in a way that the file does not say: {}; expected F32, F16, "
                               "BF16, F64 or F8.",
                               file.string(), part.part, odd),
                "Take the checkpoint in one of these");
  }
}

const ImportPlan::Source* ImportPlan::vae_source() const {
  for (const Source& source : sources_) {
    const bool used = std::any_of(parts_.begin(), parts_.end(), [&](const ImportedPart& part) {
      return part.checkpoint == &source.checkpoint && part.part == "vae_decoder";
    });
    if (used) return &source;
  }
  return nullptr;
}

/// What a configuration beside the VAE says of it.
void ImportPlan::check_vae_config(const Source& source) const {
  if (!source.folder || !io::is_file(*source.folder / "config.json")) return;
  Space found = io::read_vae_config(*source.folder).space;
  found.id = model_.space.id;
  found.lineage = model_.space.lineage;
  if (core::same_numbers(found, model_.space)) return;
  const std::vector<std::string> owners = core::spaces_with_numbers(found);
  throw Error(
      ErrorKind::incompatible,
      core::sentence("{} says of itself {}, and {} lives in {} ({}).{}", source.name, core::space_numbers(found),
                     title_, core::space_name(model_.space), core::space_numbers(model_.space),
                     owners.empty() ? "" : core::sentence(" Those are the numbers of {}.", core::listed(owners))),
      "Take a VAE of the denoiser's family");
}

/// What is known of a file that holds the VAE alone. SD1.5's and SDXL's have the same shapes.
void ImportPlan::check_vae_file(const Source& source) {
  if (source.checkpoint.paths().size() != 1) return;
  const std::optional<VaeOwner> owner = catalog_.vae_owner(source.checkpoint.paths().front());
  if (!owner) return;
  if (!core::same_numbers(owner->space, model_.space)) {
    throw Error(ErrorKind::incompatible,
                core::sentence("{} is {} by its sha256, of space {} ({}), and {} lives in {} ({}).", source.name,
                               owner->name, core::space_name(owner->space), core::space_numbers(owner->space), title_,
                               core::space_name(model_.space), core::space_numbers(model_.space)),
                "Take a VAE of the denoiser's family");
  }
  if (owner->space.lineage == model_.space.lineage) return;
  model_.space.lineage = owner->space.lineage;
  notes_.push_back(core::sentence("{} is {} by its sha256, so latents are of lineage {}", source.name, owner->name,
                                  model_.space.lineage));
}

void ImportPlan::take_tokenizers() {
  check_tokenizer_wanted(model_, title_, asked_.tokenizer);
  std::optional<fs::path> folder;
  for (const std::string& path : asked_.main) {
    if (names_folder(path)) folder = path;
  }
  for (auto& [name, facts] : model_.tokenizers) {
    if (facts.kind == TokenizerKind::t5) {
      take_t5_tokenizer(facts);
      continue;
    }
    const fs::path own = folder ? *folder / name : fs::path();
    const bool has_own = folder && io::is_file(own / "vocab.json") && io::is_file(own / "merges.txt");
    if (!has_own && !facts.vocabulary.empty()) continue;  // of the model whose architecture it is
    const fs::path place = has_own ? own : bundled_folder("tokenizers") / "clip";
    facts.vocabulary = place / "vocab.json";
    facts.merges = place / "merges.txt";
  }
}

void check_t5_tokenizer(const TokenizerFacts& facts) {
  try {
    io::read_t5_tokenizer(facts);
  } catch (const Error&) {
    throw Error(ErrorKind::input, core::sentence("{} is no SentencePiece model of T5.", facts.model.string()),
                core::sentence("Name T5's own, spiece.model of google/t5-v1_1-xxl: {tokenizer} FILE"));
  }
}

void ImportPlan::take_t5_tokenizer(TokenizerFacts& facts) const {
  std::vector<fs::path> places;
  if (!asked_.tokenizer.empty()) {
    places.emplace_back(asked_.tokenizer);
  } else {
    for (const std::string& path : asked_.main) {
      const fs::path folder = names_folder(path) ? fs::path(path) : fs::path(path).parent_path();
      places.insert(places.end(), {folder / "tokenizer_2", folder});
    }
    if (!asked_.t5xxl.empty()) places.push_back(fs::path(asked_.t5xxl).parent_path());
  }
  for (const fs::path& place : places) {
    const bool is_named = io::is_file(place) && place == fs::path(asked_.tokenizer);
    const fs::path file = is_named ? place : place / "spiece.model";
    if (!io::is_file(file)) continue;
    facts.model = file;
    check_t5_tokenizer(facts);
    return;
  }
  if (!facts.model.empty()) return;  // of the model whose architecture it is
  throw Error(ErrorKind::usage,
              "T5 needs its tokenizer, a SentencePiece model (spiece.model of google/t5-v1_1-xxl), which no checkpoint "
              "holds.",
              core::sentence("Name it: {tokenizer} FILE"));
}

void ImportPlan::find_sampling() {
  SamplingSources sources;
  for (const std::string& path : asked_.main) {
    if (names_folder(path)) sources.folder = path;
  }
  for (const ImportedPart& part : parts_) {
    if (part.part == "denoiser") sources.denoiser = part.checkpoint;
  }
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const Source& source) { return &source.checkpoint == sources.denoiser; });
  sources.weights = found->name;
  sources.title = title_;
  sources.wish = asked_.sampling;
  pipeline::decide_sampling(sources, model_, notes_);
}

/// What the model in the named folder was taught, where the parts that learnt it are taken from there.
void ImportPlan::find_taught() {
  if (folder_.empty() || !io::is_file(fs::path(folder_) / "model.json")) return;
  for (const ImportedPart& part : parts_) {
    const bool is_its_own = std::ranges::any_of(sources_, [&](const Source& source) {
      return &source.checkpoint == part.checkpoint && source.folder &&
             *source.folder == fs::path(folder_) / source.folder->filename();
    });
    if (!is_its_own && !part.part.starts_with("vae")) return;
  }
  try {
    model_.taught = catalog_.open(folder_).taught;
  } catch (const Error&) {
    return;  // no sound model; as a diffusers folder it may be whole
  }
}

void ImportPlan::note_extras() {
  for (const Source& source : sources_) {
    core::Listing extra;
    for (const core::TensorShape& tensor : source.kind.extra) {
      if (!core::is_sampling_mark(tensor.name)) core::append(extra, tensor.name);
    }
    if (extra.count == 0) continue;
    notes_.push_back(core::sentence("{}: {} that nothing here needs: {}", source.name,
                                    core::count_text(extra.count, "tensor"), core::listing_text(extra)));
  }
}

}  // namespace lapis::pipeline
