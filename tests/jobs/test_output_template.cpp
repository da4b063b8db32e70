#include <catch2/catch.hpp>
#include <string>

#include "../io/support.hpp"
#include "jobs/output_template.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::jobs;
using io::test::check_fails;

namespace {

BatchJob job_with(const std::string& output) {
  BatchJob job;
  job.line = 7;
  job.said.job.prompt = "a red house, in snow!";
  if (!output.empty()) job.said.job.output = output;
  return job;
}

std::string output_of(const std::string& output) {
  BatchJob job = job_with(output);
  name_outputs(job, "tiny-sd15");
  return *job.said.job.output;
}

}  // namespace

TEST_CASE("a template is filled with what is known of the job, and leaves what only its pictures tell") {
  CHECK(output_of("out/{line:03}-{prompt}.png") == "out/007-a-red-house-in-snow.png");
  CHECK(output_of("{model}/{seed}-{index:02}.png") == "tiny-sd15/{seed}-{index:02}.png");
  CHECK(output_of("out/") == "out/0007.png");
  CHECK(output_of("") == "lapis-batch/0007.png");
  CHECK(output_of("/tmp") == "/tmp/0007.png");
}

TEST_CASE("a template of what a job has not, of another word, or of standard output is refused") {
  check_fails(ErrorKind::usage, {"the job has no name"}, [] { output_of("{name}.png"); });
  check_fails(ErrorKind::usage, {"{nam} has no meaning here", "{line}", "{prompt}"}, [] { output_of("{nam}.png"); });
  check_fails(ErrorKind::usage, {"output is standard output"}, [] { output_of("-"); });
  BatchJob job = job_with("");
  job.said.job.latent = "-";
  check_fails(ErrorKind::usage, {"latent is standard output"}, [&] { name_outputs(job, "m"); });
}

TEST_CASE("a job that wants latents alone gets no picture") {
  BatchJob job = job_with("");
  job.said.job.latent = "l/";
  name_outputs(job, "m");
  CHECK_FALSE(job.said.job.output);
  CHECK(job.said.job.latent == "l/0007.safetensors");
}

TEST_CASE("any text makes a safe name") {
  CHECK(safe_name("a/b\\c:d") == "a-b-c-d");
  CHECK(safe_name("../..") == "_");
  CHECK(safe_name("") == "_");
  CHECK(safe_name("Stra\u00dfe 5.") == "Stra\u00dfe-5");
  const std::string cut = safe_name(std::string(79, 'a') + "\u00df" + "b");
  CHECK(cut == std::string(79, 'a'));
}

TEST_CASE("the folder of a template is what stands before its first word") {
  CHECK(folder_of("out/{model}/{line}.png") == "out/");
  CHECK(folder_of("out/a-{line}.png") == "out/");
  CHECK(folder_of("{line}.png") == ".");
  CHECK(folder_of("out/") == "out/");
  CHECK(folder_of("/tmp") == "/tmp");
}
