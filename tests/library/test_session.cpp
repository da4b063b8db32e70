// As a program that uses the library: by its public headers alone.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../folder.hpp"
#include "lapis/session.hpp"

namespace lapis {
namespace {

std::string model(const std::string& name) { return test::models() / name; }

Job short_job() {
  Job job;
  job.prompt = "a red house in snow";
  job.model = model("tiny-sd15");
  job.width = 64;
  job.height = 64;
  job.steps = 2;
  job.seed = 7;
  return job;
}

/// The error that a call ends with; fails where it ends with none.
template <typename Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  FAIL("nothing was refused");
  throw std::logic_error("unreachable");
}

TEST_CASE("a job is planned with every field decided, and nothing is drawn") {
  Session session;
  const JobPlan plan = session.plan(short_job());
  CHECK(plan.job.width == 64);
  CHECK(plan.job.sampler == session.open(model("tiny-sd15")).defaults.sampler);
  CHECK(plan.routes.empty());
}

TEST_CASE("a session's errors name fields by their keys") {
  Session session;
  Job job = short_job();
  job.steps = 0;
  const Error error = error_of([&] { session.plan(job); });
  CHECK(error.kind() == ErrorKind::usage);
  CHECK(exit_code(error.kind()) == 2);
  CHECK(std::string(error.what()).starts_with("steps is 0"));
  CHECK(error.fields() == std::vector<std::string>{"steps"});
}

TEST_CASE("what a job cannot decide for a session is refused") {
  Session session;
  Job machine = short_job();
  machine.device = "cuda";
  CHECK(std::string(error_of([&] { session.plan(machine); }).what()).starts_with("device is a session's"));
  Job output = short_job();
  output.output = "a.png";
  CHECK(std::string(error_of([&] { session.plan(output); }).what()).starts_with("output is for a program"));
}

TEST_CASE("a job is planned, and recorded, for the session's machine") {
  SessionOptions options;
  options.engine.device = "cpu";
  options.engine.threads = 1;
  options.engine.vae_dtype = "bf16";
  Session session(std::move(options));
  const ResolvedJob job = session.plan(short_job()).job;
  CHECK(job.device == "cpu");
  CHECK(job.threads == 1);
  CHECK(job.vae_dtype == "bf16");
  const LatentDocument latent = session.render(short_job(), nullptr);
  CHECK(latent.passport.job.find(R"("vae_dtype":"bf16")") != std::string::npos);
}

TEST_CASE("a model that is not there is refused with the names there are") {
  Session session;
  CHECK(error_of([&] { session.open("tiny-sd51"); }).kind() == ErrorKind::usage);
}

TEST_CASE("models are asked whether their latents fit; a refusal is an answer") {
  Session session;
  const std::vector<Finding> same = session.check({model("tiny-sd15")}, model("tiny-sd15"));
  REQUIRE(same.size() == 1);
  CHECK(same.front().verdict == "same");
  const std::vector<Finding> other = session.check({model("tiny-sd15")}, model("tiny-sdxl"));
  REQUIRE(other.size() == 1);
  CHECK(other.front().verdict == "re-encode");
  CHECK(other.front().steps.size() >= 2);
}

TEST_CASE("a session draws, keeps, goes on, converts and decodes") {
  std::vector<std::string> notes;
  int steps = 0;
  SessionOptions options;
  options.engine.threads = 1;
  options.events.note = [&](const std::string& note) { notes.push_back(note); };
  options.events.step = [&](int, int) { ++steps; };
  Session session(std::move(options));
  std::vector<Picture> pictures;
  Job job = short_job();
  job.batch = 2;
  const LatentDocument latents = session.render(job, [&](const Picture& picture) { pictures.push_back(picture); });
  CHECK(steps == 4);
  REQUIRE(pictures.size() == 2);
  CHECK(pictures[1].seed == 8);
  CHECK(pictures[0].image.width == 64);
  CHECK(pictures[0].png.size() > 100);
  CHECK(latents.passport.shape == std::array<std::int64_t, 4>{2, 4, 8, 8});

  const std::vector<Image> decoded = session.decode(latents);
  REQUIRE(decoded.size() == 2);
  CHECK(decoded[0].rgb == pictures[0].image.rgb);

  const LatentDocument converted = session.convert(latents, model("tiny-sdxl"));
  CHECK(converted.passport.space.id == "sdxl");
  CHECK(converted.passport.history.size() == 1);
  CHECK(error_of([&] { session.decode(latents, model("tiny-sdxl")); }).kind() == ErrorKind::incompatible);

  Job stopped = short_job();
  stopped.stop_at = 1;
  const LatentDocument part = session.render(stopped, nullptr);
  CHECK(part.passport.step == 1);
  CHECK(part.passport.sigma > 0);
  Job rest;
  std::vector<Picture> finished;
  session.render(rest, part, [&](const Picture& picture) { finished.push_back(picture); });
  REQUIRE(finished.size() == 1);
  CHECK(finished[0].image.rgb == pictures[0].image.rgb);
}

TEST_CASE("a latent in memory is planned and checked as it is rendered and converted") {
  Session session;
  Job job = short_job();
  job.stop_at = 1;
  const LatentDocument part = session.render(job, nullptr);
  Job rest;
  rest.prompt = "a lake";
  const JobPlan plan = session.plan(rest, part);
  CHECK(plan.job.steps == 2);
  REQUIRE(plan.routes.size() == 1);
  CHECK(plan.routes.front().latent == "the latent");
  CHECK(plan.routes.front().verdict == "same");
  rest.init_latent = "a.safetensors";
  CHECK(error_of([&] { session.plan(rest, part); }).kind() == ErrorKind::usage);

  REQUIRE(session.check_latent(part).size() == 1);
  CHECK(session.check_latent(part).front().verdict == "same");
  const Finding other = session.check_latent(part, model("tiny-sdxl")).front();
  CHECK(other.verdict == "refuse");
  CHECK(other.latent == "the latent");
  LatentDocument homeless = part;
  homeless.passport.space.lineage = "nobody's";
  CHECK(session.check_latent(homeless).front().verdict == "refuse");
  homeless.values.pop_back();
  CHECK(error_of([&] { session.check_latent(homeless); }).kind() == ErrorKind::usage);
}

TEST_CASE("what a callback throws ends the call and comes out of it as it was") {
  bool throws = true;
  const auto thrown = [&] {
    if (throws) throw std::runtime_error("DefaultCPUAllocator: can't allocate memory");
  };
  std::vector<SessionOptions> options(4);
  options[0].events.step = [&](int, int) { thrown(); };
  options[1].events.picture = thrown;
  options[2].events.stop = [&] { return thrown(), false; };
  options[3].events.note = [&](const std::string&) { thrown(); };
  Job job = short_job();
  job.then = model("tiny-sdxl") + ":0.5";  // of which there is a note
  for (SessionOptions& each : options) {
    each.engine.threads = 1;
    throws = true;
    Session session(each);
    CHECK_THROWS_WITH(session.render(job, nullptr), "DefaultCPUAllocator: can't allocate memory");
    throws = false;
    CHECK_THROWS_AS(session.render(short_job(), [](const Picture&) { throw 42; }), int);
    CHECK(session.render(short_job(), nullptr).passport.shape[0] == 1);
  }
}

TEST_CASE("numbers that are not as many as their shape says are the caller's mistake") {
  Session session;
  LatentDocument latent;
  CHECK(error_of([&] { latent_bytes(latent); }).kind() == ErrorKind::usage);
  latent.passport.shape = {1, 4, 8, 8};
  latent.values.resize(255);
  CHECK(error_of([&] { session.decode(latent, model("tiny-sd15")); }).kind() == ErrorKind::usage);
  latent.passport.shape = {-1, 4, 8, 8};
  CHECK(error_of([&] { session.convert(latent, "sdxl"); }).kind() == ErrorKind::usage);
  CHECK(error_of([&] { png_bytes({2, 2, std::vector<std::uint8_t>(11)}); }).kind() == ErrorKind::usage);
  CHECK(error_of([&] { png_bytes({}); }).kind() == ErrorKind::usage);
}

TEST_CASE("what a job says of a latent that it does not start from is refused") {
  Session session;
  Job job = short_job();
  job.space = "sd15";
  CHECK(error_of([&] { session.plan(job); }).fields().front() == "space");
  job.space.reset();
  job.measure = true;
  CHECK(error_of([&] { session.plan(job); }).fields().front() == "measure");
  job.then = model("tiny-sdxl") + ":0.5";
  CHECK(session.plan(job).routes.size() == 1);
}

TEST_CASE("files of a session are whole, and are read again") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "lapis-test-session";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  Session session;
  const std::string picture = folder / "a.png";
  Image image{64, 64, std::vector<std::uint8_t>(64 * 64 * 3, 90)};
  write_file(picture, png_bytes(image));
  CHECK(error_of([&] { write_file(picture, png_bytes(image)); }).kind() == ErrorKind::output);
  const LatentDocument latent = session.encode({picture, picture}, model("tiny-sd15"));
  CHECK(latent.passport.shape[0] == 2);
  const std::string file = folder / "a.safetensors";
  write_file(file, latent_bytes(latent));
  CHECK(read_latent(file) == latent);
  CHECK(error_of([&] { read_latent(picture); }).kind() == ErrorKind::input);
  CHECK(error_of([&] { session.encode({}, model("tiny-sd15")); }).kind() == ErrorKind::usage);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace lapis
