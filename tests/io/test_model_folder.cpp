#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/file/sha256.hpp"
#include "io/model/model_folder.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::Dimension;
using lapis::ErrorKind;
using lapis::Model;
using Json = nlohmann::json;

namespace {

const std::vector<std::string> model_files{"graphs/denoiser.pt", "unet/weights.safetensors", "tokenizer/vocab.json",
                                           "tokenizer/merges.txt"};

Json valid_document() {
  return Json::parse(R"({
    "version": 1, "name": "tiny", "family": "sd15",
    "space": {"id": "sd15", "channels": 4, "downscale": 8, "scale": 0.18215, "shift": 0, "lineage": "tiny-sd15"},
    "parts": {"denoiser": {
      "graph": "graphs/denoiser.pt", "weights": ["unet/weights.safetensors"],
      "inputs": [{"name": "sample", "dtype": "model", "shape": ["batch", 4, "height", "width"]},
                 {"name": "timestep", "dtype": "f32", "shape": ["batch"]}],
      "outputs": [{"name": "prediction", "dtype": "model", "shape": ["batch", 4, "height", "width"]}]}},
    "tokenizers": {"tokenizer": {"kind": "clip", "vocabulary": "tokenizer/vocab.json",
      "merges": "tokenizer/merges.txt", "length": 77, "start": 998, "end": 999, "pad": 999}},
    "sampling": {"prediction": "epsilon", "train_steps": 1000, "beta_curve": "scaled_linear", "beta_start": 0.00085,
      "beta_end": 0.012, "spacing": "leading", "steps_offset": 1},
    "defaults": {"width": 64, "height": 48, "steps": 20, "sampler": "euler", "guidance": 7.5},
    "files": {}, "licence": "CC0-1.0", "origin": "trained on drawings"
  })");
}

/// A folder with a model in it, valid unless `edit` changes model.json.
class ModelFolder {
 public:
  explicit ModelFolder(const std::function<void(Json&)>& edit = {}) {
    Json document = valid_document();
    for (const std::string& name : model_files) {
      const std::string content = "content of " + name;
      write_text(path() / name, content);
      document["files"][name] = {{"sha256", sha256(as_bytes(content))}, {"size", content.size()}};
    }
    document_ = document;
    rewrite(edit);
  }

  /// Writes the first model.json again, changed by `edit`.
  void rewrite(const std::function<void(Json&)>& edit) const {
    Json document = document_;
    if (edit) edit(document);
    write_text(path() / "model.json", document.dump(2));
  }

  std::filesystem::path path() const { return folder_ / "model"; }
  std::filesystem::path outside() const { return folder_ / "outside"; }

 private:
  TemporaryFolder folder_;
  Json document_;
};

void check_refused(const std::function<void(Json&)>& edit, const std::vector<std::string>& parts) {
  static const ModelFolder folder;
  folder.rewrite(edit);
  check_fails(ErrorKind::model, parts, [&] { read_model(folder.path()); });
}

/// Sets one value, named by its JSON pointer, and expects the complaint `parts`.
void check_value_refused(const std::string& pointer, const Json& value, const std::vector<std::string>& parts) {
  INFO(pointer << " = " << value.dump());
  check_refused([&](Json& document) { document[Json::json_pointer(pointer)] = value; }, parts);
}

}  // namespace

TEST_CASE("a valid model is read in full") {
  const ModelFolder folder;
  const Model model = read_model(folder.path());
  CHECK(model.folder == folder.path());
  CHECK(model.name == "tiny");
  CHECK(model.family == "sd15");
  CHECK(model.space == lapis::Space{"sd15", 4, 8, 0.18215, 0, "tiny-sd15"});
  REQUIRE(model.parts.size() == 1);
  const lapis::Part& part = model.parts.at("denoiser");
  CHECK(part.graph == folder.path() / "graphs/denoiser.pt");
  CHECK(part.weights == std::vector<std::filesystem::path>{folder.path() / "unet/weights.safetensors"});
  REQUIRE(part.inputs.size() == 2);
  CHECK(part.inputs[0].shape == std::vector<Dimension>{"batch", std::int64_t{4}, "height", "width"});
  CHECK(part.inputs[1].dtype == "f32");
  REQUIRE(part.outputs.size() == 1);
  const lapis::TokenizerFacts& tokenizer = model.tokenizers.at("tokenizer");
  CHECK(tokenizer.vocabulary == folder.path() / "tokenizer/vocab.json");
  CHECK(tokenizer.length == 77);
  CHECK(tokenizer.start == 998);
  CHECK(tokenizer.pad == 999);
  CHECK(model.sampling == lapis::SamplingFacts{});
  CHECK(model.defaults.height == 48);
  CHECK(model.defaults.guidance == 7.5);
  CHECK(model.files.size() == 4);
  CHECK(model.licence == "CC0-1.0");
}

TEST_CASE("a model is found by a relative path and through a link") {
  const ModelFolder folder;
  std::filesystem::create_directory_symlink(folder.path(), folder.outside());
  CHECK(read_model(folder.outside()).folder == folder.path());
  CHECK(read_model(std::filesystem::relative(folder.path())).folder == folder.path());
}

TEST_CASE("choices are read as their values") {
  const ModelFolder folder([](Json& document) {
    document["sampling"]["prediction"] = "v";
    document["sampling"]["beta_curve"] = "linear";
    document["sampling"]["spacing"] = "trailing";
  });
  const Model model = read_model(folder.path());
  CHECK(model.sampling.prediction == lapis::Prediction::v);
  CHECK(model.sampling.beta_curve == lapis::BetaCurve::linear);
  CHECK(model.sampling.spacing == lapis::Spacing::trailing);
}

TEST_CASE("a T5 tokenizer has one file") {
  const Json valid = {{"kind", "t5"}, {"model", "tokenizer/vocab.json"}, {"length", 64}, {"end", 1}, {"pad", 0}};
  const auto put = [](const Json& tokenizer) {
    return [tokenizer](Json& document) { document["tokenizers"]["tokenizer_2"] = tokenizer; };
  };
  const ModelFolder folder(put(valid));
  const lapis::TokenizerFacts facts = read_model(folder.path()).tokenizers.at("tokenizer_2");
  CHECK(facts.kind == lapis::TokenizerKind::t5);
  CHECK(facts.model == folder.path() / "tokenizer/vocab.json");
  CHECK(facts.length == 64);
  CHECK(facts.end == 1);
  CHECK(facts.extra_ids == 0);
  Json changed = valid;
  changed["extra_ids"] = 100;
  folder.rewrite(put(changed));
  CHECK(read_model(folder.path()).tokenizers.at("tokenizer_2").extra_ids == 100);
  changed["extra_ids"] = -1;
  check_refused(put(changed), {"tokenizers.tokenizer_2.extra_ids is -1"});
  changed = valid;
  changed["merges"] = "tokenizer/merges.txt";
  check_refused(put(changed), {"tokenizers.tokenizer_2.merges is an unknown key"});
  changed = valid;
  changed["model"] = "elsewhere.model";
  check_refused(put(changed), {"elsewhere.model", "\"files\" does not list"});
}

TEST_CASE("conditioning is optional") {
  const ModelFolder folder([](Json& document) { document["conditioning"] = {{"zero_empty_negative", true}}; });
  CHECK(read_model(folder.path()).conditioning.zero_empty_negative);
  folder.rewrite({});
  CHECK_FALSE(read_model(folder.path()).conditioning.zero_empty_negative);
  check_value_refused("/conditioning", {{"rope_axis", 1}}, {"conditioning.rope_axis", "Did you mean \"rope_axes\"?"});
}

TEST_CASE("what a model was taught is optional, and read strictly") {
  const auto taught = [](const Json& words) { return Json{{"subjects", "landscapes"}, {"words", words}}; };
  const std::vector<std::string> words = {"red", "a", "caf\u00E9", "4k", "\u8D64\u3044\u5BB6"};
  const ModelFolder folder([&](Json& document) { document["taught"] = taught(words); });
  const Model model = read_model(folder.path());
  REQUIRE(model.taught);
  CHECK(model.taught->subjects == "landscapes");
  CHECK(model.taught->words == words);
  folder.rewrite({});
  CHECK_FALSE(read_model(folder.path()).taught);

  const auto check_words = [&](const Json& list, const std::vector<std::string>& parts) {
    check_value_refused("/taught", taught(list), parts);
  };
  check_value_refused("/taught", nullptr, {"taught is null, expected an object"});
  check_value_refused("/taught", words, {"taught is a list, expected an object"});
  check_value_refused("/taught", {{"subjects", "lakes"}}, {"taught lacks the key \"words\""});
  check_value_refused("/taught", {{"words", words}}, {"taught lacks the key \"subjects\""});
  check_value_refused("/taught", {{"subjects", "lakes"}, {"word", words}}, {"taught.word", "\"words\""});
  check_value_refused("/taught", {{"subjects", ""}, {"words", words}}, {"taught.subjects is an empty text"});
  check_value_refused("/taught", {{"subjects", "a\x1b[2Jb"}, {"words", words}}, {"taught.subjects has characters"});
  check_value_refused("/taught", {{"subjects", "a\nb"}, {"words", words}}, {"taught.subjects has characters"});
  check_value_refused("/taught", {{"subjects", "\u202E"}, {"words", words}}, {"taught.subjects has characters"});
  check_value_refused("/taught", {{"subjects", {{"bytes", "/w=="}}}, {"words", words}}, {"taught.subjects has char"});
  check_value_refused("/taught", {{"subjects", std::string(201, 'a')}, {"words", words}},
                      {"taught.subjects has 201 bytes, expected at most 200"});
  check_words("red", {"taught.words is \"red\", expected a list"});
  check_words(Json::array(), {"taught.words is an empty list"});
  check_words({"a", 3}, {"taught.words[1] is 3, expected a text"});
  check_words({"a", ""}, {"taught.words[1] is an empty text"});
  check_words({"a", "red", "a"}, {"taught.words[2] is \"a\", which an earlier one is"});
  check_words({"Red"}, {"taught.words[0] is \"Red\", expected one word in lower case"});
  for (const char* word :
       {"two words", "half-way", "don't", "cafe\u0301", " red", "red,", "-", "a\x1b[2J", "red\u202E"}) {
    check_words({word}, {"taught.words[0]"});
  }
  check_words({{{"bytes", "cmVk/w=="}}}, {"taught.words[0]"});
  check_words({std::string(101, 'a')}, {"taught.words[0] has 101 bytes, expected at most 100"});
  Json many = Json::array();
  for (int i = 0; i <= 50'000; ++i) many.push_back(std::to_string(i));
  check_words(many, {"taught.words has 50001 words, expected at most 50000"});
}

TEST_CASE("a folder without model.json is explained") {
  const ModelFolder folder;
  check_fails(ErrorKind::model, {"nowhere", "no model folder"}, [&] { read_model(folder.path() / "nowhere"); });
  check_fails(ErrorKind::model, {"has no model.json"}, [&] { read_model(folder.path() / "unet"); });
  check_fails(ErrorKind::model, {"is a file"}, [&] { read_model(folder.path() / "model.json"); });
  write_text(folder.path() / "unet" / "model_index.json", "{}");
  check_fails(ErrorKind::model, {"diffusers folder", "import FOLDER"}, [&] { read_model(folder.path() / "unet"); });
}

TEST_CASE("a document that is not one JSON object is refused") {
  const ModelFolder folder;
  const auto check_text = [&](const std::string& text, const std::string& reason) {
    write_text(folder.path() / "model.json", text);
    check_fails(ErrorKind::model, {"model.json", reason}, [&] { read_model(folder.path()); });
  };
  check_text("", "is no JSON");
  check_text("[]", "expected an object");
  check_text(R"({"version":1,"version":1})", "the key \"version\" twice");
  check_text(std::string(2'000'000, ' '), "at most 1048576");
  check_text(std::string(1000, '['), "nested too deeply");
}

TEST_CASE("a schedule of the defaults may be left out") {
  const ModelFolder folder;
  CHECK(read_model(folder.path()).defaults.schedule == "own");
  folder.rewrite([](Json& document) { document["defaults"]["schedule"] = "karras"; });
  CHECK(read_model(folder.path()).defaults.schedule == "karras");
  check_value_refused("/defaults/schedule", 3, {"defaults.schedule is 3"});
}

TEST_CASE("another version is named before its keys are") {
  check_refused(
      [](Json& document) {
        document["version"] = 2;
        document["novelty"] = true;
      },
      {"version is 2", "reads version 1"});
  check_value_refused("/version", "1", {"version is \"1\""});
}

TEST_CASE("an unknown key is met with the nearest known one, at every level") {
  check_value_refused("/famliy", "sd15", {"famliy is an unknown key", "Did you mean \"family\"?"});
  check_value_refused("/space/lineag", "x", {"space.lineag", "\"lineage\""});
  check_value_refused("/parts/denoiser/weight", "x", {"parts.denoiser.weight", "\"weights\""});
  check_value_refused("/parts/denoiser/inputs/1/dtyp", "x", {"parts.denoiser.inputs[1].dtyp", "\"dtype\""});
  check_value_refused("/tokenizers/tokenizer/merge", "x", {"tokenizers.tokenizer.merge", "\"merges\""});
  check_value_refused("/sampling/beta_strat", 1, {"sampling.beta_strat", "\"beta_start\""});
  check_value_refused("/defaults/widht", 1, {"defaults.widht", "\"width\""});
  check_value_refused("/files/graphs~1denoiser.pt/sha265", "x", {"files.graphs/denoiser.pt.sha265", "\"sha256\""});
}

TEST_CASE("every key is required") {
  const Json document = valid_document();
  for (const auto& [key, value] : document.items()) {
    check_refused([&, name = key](Json& edited) { edited.erase(name); }, {"lacks the key \"" + key + "\""});
  }
  for (const std::string section : {"space", "sampling", "defaults"}) {
    for (const auto& [key, value] : document[section].items()) {
      check_refused([&, name = key](Json& edited) { edited[section].erase(name); },
                    {section + " lacks the key \"" + key + "\""});
    }
  }
}

TEST_CASE("values of a wrong type or range are refused with their place") {
  check_value_refused("/name", 3, {"name is 3, expected a text"});
  check_value_refused("/family", "", {"family is an empty text"});
  check_value_refused("/space/channels", 4.5, {"space.channels is 4.5"});
  check_value_refused("/space/channels", 0, {"space.channels is 0"});
  check_value_refused("/space/scale", 0, {"space.scale is 0"});
  check_value_refused("/space/scale", "0.18", {"space.scale is \"0.18\""});
  check_value_refused("/parts", Json::array(), {"parts is a list"});
  check_value_refused("/parts/denoiser/inputs/1/dtype", "f23",
                      {"parts.denoiser.inputs[1].dtype is \"f23\"", "Did you mean \"f32\"?"});
  check_value_refused("/parts/denoiser/inputs/0/shape/1", -4, {"parts.denoiser.inputs[0].shape[1] is -4"});
  check_value_refused("/parts/denoiser/inputs/0/shape/1", 4.0, {"parts.denoiser.inputs[0].shape[1] is 4.0"});
  check_value_refused("/parts/denoiser/inputs/0/shape/0", "", {"shape[0] is an empty text"});
  check_value_refused("/parts/denoiser/inputs/1/name", "sample", {"inputs[1].name", "earlier one"});
  check_value_refused("/parts/denoiser/outputs", Json::array(), {"outputs is an empty list"});
  check_value_refused("/tokenizers/tokenizer/kind", "t6", {"tokenizers.tokenizer.kind is \"t6\""});
  check_value_refused("/tokenizers/tokenizer/length", 2, {"tokenizers.tokenizer.length is 2"});
  check_value_refused("/tokenizers/tokenizer/pad", -1, {"tokenizers.tokenizer.pad is -1"});
  check_value_refused("/sampling/prediction", "epsilom", {"Did you mean \"epsilon\"?"});
  check_value_refused("/sampling/beta_end", 0.0001, {"sampling.beta_end is 0.0001"});
  check_value_refused("/sampling/steps_offset", 1001, {"sampling.steps_offset is 1001"});
  check_value_refused("/defaults/width", 7, {"defaults.width is 7"});
  check_value_refused("/defaults/guidance", -1, {"defaults.guidance is -1"});
  check_value_refused("/files/graphs~1denoiser.pt/sha256", "ABC", {"files.graphs/denoiser.pt.sha256", "64 lower-case"});
  check_value_refused("/files/graphs~1denoiser.pt/size", -1, {"files.graphs/denoiser.pt.size is -1"});
}

TEST_CASE("paths stay below the folder") {
  const auto check_path = [](const std::string& path, const std::string& reason) {
    check_value_refused("/parts/denoiser/graph", path, {"parts.denoiser.graph", reason});
    if (path.empty()) return;
    check_refused([&](Json& document) { document["files"][path] = document["files"]["graphs/denoiser.pt"]; }, {reason});
  };
  check_path("../model/graphs/denoiser.pt", "leaves the model's folder");
  check_path("graphs/../../outside", "leaves the model's folder");
  check_path("/etc/passwd", "is absolute");
  check_path("graphs//denoiser.pt", "empty or a \".\" step");
  check_path("./graphs/denoiser.pt", "empty or a \".\" step");
  check_path(std::string("a\0b", 3), "control character");
  check_path("a\x1b[2J", "control character");
  check_path("", "empty");
}

TEST_CASE("a symbolic link may lead within the folder and not out of it") {
  const ModelFolder folder;
  const std::filesystem::path graph = folder.path() / "graphs/denoiser.pt";
  std::filesystem::rename(graph, folder.path() / "elsewhere.pt");
  std::filesystem::create_symlink("../elsewhere.pt", graph);
  CHECK(read_model(folder.path()).parts.at("denoiser").graph == folder.path() / "elsewhere.pt");

  std::filesystem::rename(folder.path() / "elsewhere.pt", folder.outside());
  std::filesystem::remove(graph);
  std::filesystem::create_symlink(folder.outside(), graph);
  check_fails(ErrorKind::model, {"denoiser.pt", "symbolic link that leads out"}, [&] { read_model(folder.path()); });
}

TEST_CASE("a linked folder may lie within the model's folder and not out of it") {
  const ModelFolder folder;
  const std::filesystem::path graphs = folder.path() / "graphs";
  std::filesystem::create_directories(folder.path() / "kept/deep");
  std::filesystem::rename(graphs, folder.path() / "kept/deep/graphs");
  std::filesystem::create_directory_symlink("kept/deep/graphs", graphs);
  CHECK(read_model(folder.path()).parts.at("denoiser").graph == folder.path() / "kept/deep/graphs/denoiser.pt");

  std::filesystem::rename(folder.path() / "kept", folder.outside());
  std::filesystem::create_directory_symlink(folder.outside(), folder.path() / "kept");
  check_fails(ErrorKind::model, {"denoiser.pt", "symbolic link that leads out"}, [&] { read_model(folder.path()); });
}

TEST_CASE("every file of a linked folder is held against where it really lies") {
  const ModelFolder folder;
  std::filesystem::rename(folder.path() / "tokenizer", folder.path() / "words");
  std::filesystem::create_directory_symlink("words", folder.path() / "tokenizer");
  const Model model = read_model(folder.path());
  CHECK(model.tokenizers.at("tokenizer").vocabulary == folder.path() / "words/vocab.json");
  CHECK(model.tokenizers.at("tokenizer").merges == folder.path() / "words/merges.txt");

  std::filesystem::rename(folder.path() / "words/vocab.json", folder.outside());
  std::filesystem::create_symlink(folder.outside(), folder.path() / "words/vocab.json");
  check_fails(ErrorKind::model, {"vocab.json", "symbolic link that leads out"}, [&] { read_model(folder.path()); });
}

TEST_CASE("links that lead nowhere are refused") {
  const ModelFolder folder;
  const std::filesystem::path graph = folder.path() / "graphs/denoiser.pt";
  std::filesystem::remove(graph);
  for (const char* target : {"gone.pt", "denoiser.pt", "../../no/such/file", "../graphs"}) {
    INFO(target);
    std::filesystem::create_symlink(target, graph);
    const bool is_folder = target == std::string("../graphs");
    check_fails(ErrorKind::model, {"denoiser.pt", is_folder ? "is no regular file" : "missing or cannot be reached"},
                [&] { read_model(folder.path()); });
    std::filesystem::remove(graph);
  }
  std::filesystem::remove_all(folder.path() / "graphs");
  write_text(folder.path() / "graphs", "a file where a folder belongs");
  check_fails(ErrorKind::model, {"denoiser.pt", "cannot be reached: Not a directory"},
              [&] { read_model(folder.path()); });
}

TEST_CASE("files and the names of them must match") {
  check_value_refused("/parts/denoiser/graph", "graphs/other.pt", {"graphs/other.pt", "\"files\" does not list"});
  check_refused([](Json& document) { document["parts"]["denoiser"]["weights"] = Json::array(); },
                {"files.unet/weights.safetensors", "no part and no tokenizer names"});
}

TEST_CASE("a missing, a truncated and a grown file are told apart without reading them") {
  const ModelFolder folder;
  const std::filesystem::path weights = folder.path() / "unet/weights.safetensors";
  const std::string whole = read_text(weights);
  write_text(weights, whole.substr(1));
  check_fails(ErrorKind::model, {weights.string(), "truncated", "34 bytes, expected 35"},
              [&] { read_model(folder.path()); });
  write_text(weights, whole + "x");
  check_fails(ErrorKind::model, {weights.string(), "too long", "36 bytes, expected 35"},
              [&] { read_model(folder.path()); });
  std::filesystem::remove(weights);
  check_fails(ErrorKind::model, {weights.string(), "missing"}, [&] { read_model(folder.path()); });
  std::filesystem::create_directory(weights);
  check_fails(ErrorKind::model, {weights.string(), "no regular file"}, [&] { read_model(folder.path()); });
}

TEST_CASE("an altered file is found by its digest, with both digests in the message") {
  const ModelFolder folder;
  const Model model = read_model(folder.path());
  CHECK_NOTHROW(verify_files(model));
  const std::filesystem::path weights = folder.path() / "unet/weights.safetensors";
  std::string content = read_text(weights);
  content[3] ^= 1;
  write_text(weights, content);
  CHECK_NOTHROW(read_model(folder.path()));
  check_fails(ErrorKind::model,
              {weights.string(), "altered", model.files.at("unet/weights.safetensors").sha256,
               sha256(as_bytes(content)), "export the model again"},
              [&] { verify_files(model); });
  std::filesystem::remove(weights);
  check_fails(ErrorKind::model, {weights.string(), "does not exist"}, [&] { verify_files(model); });
}

TEST_CASE("large models are verified on two threads with the same verdict") {
  const std::string large(5U << 20U, 'w');
  const std::string name = "unet/weights.safetensors";
  const ModelFolder folder([&](Json& document) {
    document["files"][name] = {{"sha256", sha256(as_bytes(large))}, {"size", large.size()}};
  });
  write_text(folder.path() / name, large);
  const Model model = read_model(folder.path());
  CHECK_NOTHROW(verify_files(model));
  std::string altered = large;
  altered.back() = 'v';
  write_text(folder.path() / name, altered);
  write_text(folder.path() / "graphs/denoiser.pt", "altered too");
  check_fails(ErrorKind::model, {"graphs/denoiser.pt", "altered"}, [&] { verify_files(model); });
}

TEST_CASE("the files of some parts are verified without the others") {
  const ModelFolder folder;
  const Model model = read_model(folder.path());
  const std::vector<std::string> parts{"denoiser", "bridge"};
  write_text(folder.path() / "tokenizer/vocab.json", "altered vocabulary");
  CHECK_NOTHROW(verify_parts(model, parts));
  check_fails(ErrorKind::model, {"vocab.json", "altered"}, [&] { verify_files(model); });
  write_text(folder.path() / "unet/weights.safetensors", "altered");
  check_fails(ErrorKind::model, {"unet/weights.safetensors", "altered"}, [&] { verify_parts(model, parts); });
  CHECK_NOTHROW(verify_parts(model, {}));
}
