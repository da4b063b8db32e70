#include <catch2/catch.hpp>
#include <limits>

#include "lapis/error.hpp"
#include "pipeline/job_notes.hpp"
#include "pipeline/model_catalog.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("notes tell of an empty prompt, a negative one without effect, and a size far beyond the model's own") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  ResolvedJob job;
  job.prompt = "a red house";
  job.guidance = 4;
  job.width = model.defaults.width;
  job.height = model.defaults.height;
  CHECK(job_notes(job, model).empty());
  ResolvedJob empty = job;
  empty.prompt = "  ";
  CHECK(job_notes(empty, model).size() == 1);
  ResolvedJob unguided = job;
  unguided.negative_prompt = "clouds";
  unguided.guidance = 1;
  CHECK(job_notes(unguided, model).size() == 1);
  ResolvedJob large = job;
  large.width = large.height = model.defaults.width * 16;
  CHECK(job_notes(large, model).size() == 1);
}

TEST_CASE("a picture that no memory can hold is refused") {
  ResolvedJob job;
  job.device = "cpu";
  job.width = job.height = 64;
  CHECK_NOTHROW(check_room(job));
  job.width = job.height = std::numeric_limits<int>::max();
  CHECK_THROWS_AS(check_room(job), Error);
}
