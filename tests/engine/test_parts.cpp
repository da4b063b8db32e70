// Parts that come and go.
#include <ATen/ops/tensor.h>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>

#include "../folder.hpp"
#include "engine/model_cache.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

PartSlot::Load line() {
  return [] { return LoadedPart(bound_part(), "line", {}); };
}

PartSlot::Load failing() {
  return []() -> LoadedPart { throw Error(ErrorKind::model, "no such part"); };
}

const Model& tiny() {
  static const Model read = io::read_model(lapis::test::models() / "tiny-sd15");
  return read;
}

}  // namespace

TEST_CASE("a slot is empty, waits for a part, or holds it, and counts on when it goes") {
  PartSlot slot;
  CHECK(slot.state() == PartSlot::State::empty);
  slot.expect(line());
  CHECK(slot.state() == PartSlot::State::coming);
  CHECK(slot.held() == nullptr);
  LoadedPart& part = slot.part(failing());  // not asked: the part comes
  CHECK(slot.state() == PartSlot::State::here);
  CHECK(&slot.part(failing()) == &part);
  part.run({at::tensor({1.0F})});
  const double seconds = slot.seconds();
  CHECK(seconds > 0);
  slot.release();
  CHECK(slot.state() == PartSlot::State::empty);
  CHECK(slot.seconds() == seconds);
  slot.part(line()).run({at::tensor({1.0F})});
  CHECK(slot.seconds() > seconds);
}

TEST_CASE("a slot whose part cannot be loaded is empty again") {
  PartSlot slot;
  CHECK_THROWS_AS(slot.part(failing()), Error);
  CHECK(slot.state() == PartSlot::State::empty);
  slot.expect(failing());
  CHECK_THROWS_AS(slot.part(line()), Error);
  CHECK(slot.state() == PartSlot::State::empty);
  slot.expect(failing());
  slot.release();
  CHECK(slot.state() == PartSlot::State::empty);
}

TEST_CASE("parts are loaded side by side and once, and go by their stage") {
  Parts parts(tiny(), {});
  const std::vector<PartKind> kinds = parts_to_draw(tiny());
  const std::vector<PartKind> expected = {PartKind::denoiser, PartKind::text_encoder, PartKind::vae_decoder};
  CHECK((kinds == expected));  // in brackets: libtorch has a way to print vectors that does not print enums
  parts.ensure(kinds);
  CHECK(parts.take_load_seconds() > 0);
  const LoadedPart* denoiser = &parts.part(PartKind::denoiser);
  parts.ensure(kinds);
  CHECK(parts.take_load_seconds() == 0);
  parts.release(PartStage::prompt);
  CHECK(&parts.part(PartKind::denoiser) == denoiser);
  CHECK(parts.take_load_seconds() == 0);
  parts.part(PartKind::text_encoder);
  CHECK(parts.take_load_seconds() > 0);
}

TEST_CASE("a part that is still coming goes with its stage too") {
  const std::filesystem::path graph = std::filesystem::temp_directory_path() / "lapis-test-parts.pt";
  Model model = tiny();
  std::filesystem::copy_file(model.parts.at("vae_decoder").graph, graph,
                             std::filesystem::copy_options::overwrite_existing);
  model.parts.at("vae_decoder").graph = graph;
  Parts parts(model, {});
  parts.expect(PartKind::vae_decoder);
  parts.release(PartStage::decoding);
  std::filesystem::remove(graph);
  CHECK_THROWS_AS(parts.part(PartKind::vae_decoder), Error);  // for it is loaded anew
}

TEST_CASE("the VAE's parts have a twin in fp32, and no other part has") {
  const Placement half{at::kCPU, at::kBFloat16};
  Parts parts(tiny(), Placements(half, half.dtype));
  CHECK(parts.part(PartKind::vae_decoder).placement().dtype == at::kBFloat16);
  CHECK(parts.in_fp32(PartKind::vae_decoder).placement().dtype == at::kFloat);
  CHECK(parts.part(PartKind::vae_decoder).placement().dtype == at::kBFloat16);
  const std::uint64_t both = parts.bytes();
  parts.release(PartStage::decoding);
  CHECK(parts.bytes() == 0);
  CHECK(parts.part(PartKind::vae_decoder).bytes() < both);
  CHECK_THROWS_AS(parts.in_fp32(PartKind::denoiser), Error);
  CHECK_THROWS_WITH(parts.part(PartKind::text_encoder_2), Catch::Contains("has no text_encoder_2"));
}

TEST_CASE("models go by their last use as the budget wants it, and the one used last stays") {
  const Model first = tiny();
  Model second = tiny();
  second.name = "second";
  Model third = tiny();
  third.name = "third";
  const std::uint64_t size = Parts(first, {}).part(PartKind::vae_decoder).bytes();
  CHECK(size > 1000);
  ModelCache models({}, 2 * size);
  const auto loads = [&](const Model& model) {
    Parts& parts = models.use(model);
    parts.part(PartKind::vae_decoder);
    return parts.take_load_seconds() > 0;
  };
  CHECK(loads(first));
  CHECK(loads(second));
  CHECK_FALSE(loads(first));
  CHECK(loads(third));
  CHECK_FALSE(loads(first));  // used after the second
  CHECK_FALSE(loads(third));
  CHECK(loads(second));
  models.done(PartStage::decoding);  // three of the size for two: the first goes, and this may stay
  CHECK_FALSE(loads(second));
  CHECK(loads(first));
  ModelCache none({}, 0);
  none.use(first).part(PartKind::vae_decoder);
  none.done(PartStage::decoding);
  none.use(first).part(PartKind::vae_decoder);
  CHECK(none.use(first).take_load_seconds() > 0);
}
