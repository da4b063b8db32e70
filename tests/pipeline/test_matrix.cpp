#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "io/latent/latent_formats.hpp"
#include "latents.hpp"
#include "pipeline/matrix.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;

namespace {

/// A VAE of any space may be asked for any latent, as the engine's own does where it is forced.
class ForcedEngine : public Engine {
 public:
  test::RecordingEngine inner;

  EngineOptions chosen() const override { return inner.chosen(); }
  void ensure(const Model&, const std::vector<PartKind>&) override {}
  Decoded decode(const Model& model, const Latent& latent, const std::string& tiling, bool any_space) override {
    inner.forced = any_space;
    if (any_space && broken) throw Error(ErrorKind::numeric, "NaN");
    return inner.decode(model, latent, tiling, any_space);
  }
  Encoded encode(const Model& model, const Image& image, const std::string& tiling,
                 std::optional<std::uint64_t> seed) override {
    return inner.encode(model, image, tiling, seed);
  }
  RenderEnd render(const Model& model, const RenderRequest& request, const StepCallback& on_step,
                   const PictureCallback& on_picture) override {
    return inner.render(model, request, on_step, on_picture);
  }
  ProbeResult probe_part(const Part&, const std::string&, const std::vector<ProbeInput>&) override { return {}; }

  bool broken = false;  ///< what is forced comes out as no picture
};

}  // namespace

TEST_CASE("models render a latent each, of one seed, and every latent goes through every decoder") {
  ModelCatalog catalog;
  std::vector<MatrixRow> rows =
      read_matrix_rows({"tiny-sd15", "tiny-sdxl", "tiny-flux"}, {"a lake", "7", {}}, catalog, {});
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].job->seed == 7);
  CHECK(rows[2].passport.shape[1] == 16);
  ForcedEngine engine;
  engine.inner.draws = true;
  engine.inner.expected_tiling = "auto";
  EngineDoor door(engine);
  const core::Matrix matrix = fill_matrix(rows, "auto", door, {});
  CHECK(matrix.prompt == "a lake");
  CHECK(matrix.seed == 7);
  CHECK(engine.inner.requests.size() == 3);
  CHECK_FALSE(engine.inner.requests.front().decodes);
  REQUIRE(matrix.latents.size() == 3);
  CHECK(matrix.latents[0].rendered);
  CHECK(matrix.latents[0].right.rgb.front() == 100);
  CHECK(matrix.cell(0, 1).forced);
  CHECK(matrix.cell(0, 1).converted);
  CHECK(matrix.cell(0, 1).transcode.to == "sdxl:tiny-sdxl");
  CHECK_FALSE(matrix.cell(0, 2).forced);
  CHECK(matrix.cell(0, 2).refusal == "cannot be decoded: 4 channels into a decoder of 16");
  CHECK_FALSE(matrix.cell(1, 1).converted);
}

TEST_CASE("a forced decode that gives no picture is what there is to see") {
  ModelCatalog catalog;
  std::vector<MatrixRow> rows = read_matrix_rows({"tiny-sd15", "tiny-sdxl"}, {"", "7", {}}, catalog, {});
  ForcedEngine engine;
  engine.inner.draws = true;
  engine.inner.expected_tiling = "auto";
  engine.broken = true;
  EngineDoor door(engine);
  const core::Matrix matrix = fill_matrix(rows, "auto", door, {});
  CHECK(matrix.cell(0, 1).refusal == "cannot be decoded: NaN, Inf or one flat colour");
  CHECK(matrix.cell(0, 1).converted);
}

TEST_CASE("a latent is a row of its own model, the first picture of several") {
  const io::test::TemporaryFolder folder;
  ModelCatalog catalog;
  const NamedLatent latent = test::latent_of(catalog.open("tiny-sdxl"), 2);
  const std::string file = (folder / "a.safetensors").string();
  const auto bytes = io::write_latent(latent.latent.document, io::LatentFormat::lapis);
  io::test::write_text(file, io::test::as_text(bytes));
  std::vector<std::string> notes;
  Events events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  const std::vector<MatrixRow> rows = read_matrix_rows({file, "tiny-sd15"}, {}, catalog, events);
  CHECK(rows[0].model.name == "tiny-sdxl");
  CHECK_FALSE(rows[0].job);
  CHECK(rows[0].latent.shape[0] == 1);
  CHECK(notes == std::vector<std::string>{file + ": the first of 2 pictures"});
}

TEST_CASE("without a word about it models render the usual prompt, and latents alone take none") {
  const io::test::TemporaryFolder folder;
  ModelCatalog catalog;
  const std::vector<MatrixRow> rows = read_matrix_rows({"tiny-sd15", "tiny-sdxl"}, {}, catalog, {});
  CHECK(rows[0].job->prompt == matrix_prompt);
  CHECK(rows[1].job->seed == matrix_seed);
  std::vector<std::string> files;
  for (const char* model : {"tiny-sd15", "tiny-sdxl"}) {
    files.push_back((folder / model).string());
    const auto document = test::latent_of(catalog.open(model)).latent.document;
    io::test::write_text(files.back(), io::test::as_text(io::write_latent(document, io::LatentFormat::lapis)));
  }
  check_fails(ErrorKind::usage, {"a prompt and a seed are for models"}, [&] {
    read_matrix_rows(files, {"a lake", "", {}}, catalog, {});
  });
  check_fails(ErrorKind::usage, {"seed is \"x\""}, [&] { read_matrix_rows({}, {{}, "x", {}}, catalog, {}); });
}

TEST_CASE("too few, two of one space, and a latent that does not say its space are refused") {
  ModelCatalog catalog;
  const auto read = [&](const std::vector<std::string>& words) {
    return [&catalog, words] { read_matrix_rows(words, {}, catalog, {}); };
  };
  check_fails(ErrorKind::usage, {"a matrix has 2 to 6 latents or models, and here is 1."}, read({"tiny-sd15"}));
  check_fails(ErrorKind::usage, {"tiny-sd15 and tiny-sd15 are both in space sd15:tiny-sd15"},
              read({"tiny-sd15", "tiny-sd15"}));
  const std::string file = io::test::data_file("latents/comfy.latent").string();
  check_fails(ErrorKind::usage, {file + " does not say its space.", "Give it a passport first: convert " + file},
              read({file, "tiny-sd15"}));
}
