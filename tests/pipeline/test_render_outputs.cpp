#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "../io/support.hpp"
#include "core/text/names.hpp"
#include "latents.hpp"
#include "pipeline/render_outputs.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;

namespace {

constexpr OutputPolicy skipping = {.skip_existing = true};

/// A folder, and jobs that write into it.
struct Place {
  io::test::TemporaryFolder folder;
  ModelCatalog catalog;

  std::string path(const std::string& name) const { return (folder / name).string(); }

  Job job(const std::string& output, const std::string& latent = "") const {
    Job job;
    job.prompt = "a lake";
    job.seed = 7;
    job.batch = 2;
    if (!output.empty()) job.output = output == "-" ? output : path(output);
    if (!latent.empty()) job.latent = latent == "-" ? latent : path(latent);
    return job;
  }

  RenderPlan plan(const Job& job) {
    RenderAsked asked;
    asked.asked.job = job;
    asked.pictures = wants_pictures(job);
    return plan_render(std::move(asked), catalog, 1);
  }

  static RenderOutputs outputs(const Job& job, RenderPlan& plan, const OutputPolicy& policy) {
    RenderOutputs outputs = name_render_outputs(job, plan.job);
    plan_render_outputs(outputs, plan, policy, {});
    return outputs;
  }

  RenderOutputs outputs(const Job& job, const OutputPolicy& policy = {}) {
    RenderPlan planned = plan(job);
    return outputs(job, planned, policy);
  }
};

}  // namespace

TEST_CASE("pictures are wanted by their name, or where nothing else is") {
  const Place place;
  CHECK(wants_pictures(place.job("")));
  CHECK(wants_pictures(place.job("a.png", "a.safetensors")));
  CHECK_FALSE(wants_pictures(place.job("", "a.safetensors")));
}

TEST_CASE("a job's pictures have a name each, and its latents the format of their ending") {
  Place place;
  const RenderOutputs outputs = place.outputs(place.job("{seed}.png", "a.latent"));
  REQUIRE(outputs.pictures.size() == 2);
  CHECK(outputs.pictures[1].path == place.path("8.png"));
  CHECK(outputs.pictures[1].index == 1);
  CHECK(outputs.format == io::LatentFormat::comfy);
  CHECK(outputs.all().size() == 3);
  CHECK(place.outputs(place.job("", "a.safetensors")).pictures.empty());
}

TEST_CASE("a plan keeps what somebody is going to keep") {
  Place place;
  io::test::write_text(place.folder / "a-0.png", "mine");
  Job job = place.job("a.png");
  RenderPlan plan = place.plan(job);
  Place::outputs(job, plan, skipping);
  CHECK(plan.wanted == std::vector<int>{1});
  job = place.job("a.png", "a.safetensors");
  plan = place.plan(job);
  Place::outputs(job, plan, skipping);
  CHECK(plan.wanted.empty());  // latents are those of all pictures
  CHECK(plan.pictures);
  io::test::write_text(place.folder / "a-1.png", "mine");
  plan = place.plan(job);
  const RenderOutputs outputs = Place::outputs(job, plan, skipping);
  CHECK_FALSE(plan.pictures);
  CHECK(outputs.writes_latent());
  CHECK(paths_that_stay(outputs.all()).size() == 2);
}

TEST_CASE("outputs that make no sense are refused before any work") {
  Place place;
  const auto refused = [&](Job job, const std::string& part, const OutputPolicy& policy = {}) {
    check_fails(ErrorKind::usage, {part}, [&] { place.outputs(job, policy); });
  };
  Job one = place.job("-", "-");
  one.batch = 1;
  refused(one, "latent - and output - both want standard output");
  refused(place.job("-"), "takes one picture");
  refused(place.job("a.png", "a-0.png"), "output and latent both name");
  one.latent = "./-";  // a file
  CHECK(place.outputs(one, {.overwrite = true}).pictures.front().path == "-");
  refused(place.job("a.png", "b.png"), "this option writes a latent");
  refused(place.job("a.png"), "Give one of the two", {true, true});
  Job stopping = place.job("a.png");
  stopping.stop_at = 2;
  refused(stopping, "Say where to keep it: latent FILE");
  stopping.latent = place.path("a.safetensors");
  refused(stopping, "stop_at leaves no picture to write");
  stopping.output.reset();
  stopping.latent = place.path("a.latent");
  refused(stopping, "cannot hold a partially denoised latent");
}

TEST_CASE("pictures and latents are written, but for those that stay, each with its report") {
  Place place;
  io::test::write_text(place.folder / "a-0.png", "mine");
  const Job job = place.job("a.png", "a.safetensors");
  const RenderOutputs outputs = place.outputs(job, skipping);
  Outlet outlet;
  outlet.reports = true;
  DrawnPicture picture;
  picture.png = {std::byte{1}, std::byte{2}};
  CHECK_FALSE(save(picture, outputs, outlet));
  CHECK(io::test::read_text(place.folder / "a-0.png") == "mine");
  picture.index = 1;
  picture.size = {64, 96};
  picture.notes = {core::marked("{steps} is 0")};
  const std::optional<Written> written = save(picture, outputs, outlet);
  REQUIRE(written);
  CHECK(written->path == place.path("a-1.png"));
  for (const char* part : {"\"index\":1", "\"steps is 0\"", "\"size\":[64,96]"}) {
    CHECK_THAT(written->line, Catch::Contains(part));
  }
  CHECK_THAT(written->line, Catch::Contains(written->sha256));
  RenderResult result;
  result.latents = test::latent_of(place.catalog.open("tiny-sd15"), 2).latent.document;
  const std::optional<Written> latents = save(result, outputs, outlet);
  REQUIRE(latents);
  CHECK_THAT(latents->line, Catch::Contains("\"space\":\"sd15:tiny-sd15\"") && !Catch::Contains("\"index\""));
  CHECK(place.folder.names() == std::vector<std::string>{"a-0.png", "a-1.png", "a.safetensors"});
}
