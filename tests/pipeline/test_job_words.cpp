#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "pipeline/job_words.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

void said(AskedJob& asked, const char* key, const std::string& word) { say(asked, core::find_job_field(key), word); }

}  // namespace

TEST_CASE("words say the fields of a job, and which were said") {
  AskedJob asked;
  said(asked, "steps", "3");
  said(asked, "loras", "a");
  said(asked, "loras", "b");
  said(asked, "overwrite", "true");
  CHECK(asked.job.steps == 3);
  CHECK(asked.job.loras == std::vector<std::string>{"a", "b"});
  CHECK(asked.job.overwrite);
  CHECK(asked.named == std::set<std::string>{"loras", "overwrite", "steps"});
  CHECK_THROWS_WITH(said(asked, "steps", "x"), Catch::StartsWith("steps is \"x\""));
}

TEST_CASE("a prompt may lie in a file, and standard input is read for what asks for it") {
  const io::test::TemporaryFolder folder;
  io::test::write_text(folder / "p.txt", "a lake\n");
  AskedJob asked;
  said(asked, "prompt", "@" + (folder / "p.txt").string());
  CHECK(asked.job.prompt == "a lake");
  CHECK_THROWS_WITH(said(asked, "prompt", "@nowhere.txt"), Catch::Contains("prompt"));
  CHECK(reads_stdin(core::find_job_field("negative_prompt"), "@-"));
  CHECK(reads_stdin(core::find_job_field("image"), "-"));
  CHECK_FALSE(reads_stdin(core::find_job_field("image"), "@-"));
  CHECK_FALSE(reads_stdin(core::find_job_field("output"), "-"));
}

TEST_CASE("a sampler's name that says a schedule too agrees with the schedule behind it") {
  AskedJob asked;
  said(asked, "sampler", "DPM++ 2M Karras");
  CHECK(asked.named == std::set<std::string>{"sampler", "schedule"});
  CHECK_NOTHROW(said(asked, "schedule", "karras"));
  CHECK_THROWS_WITH(said(asked, "schedule", "exponential"),
                    Catch::StartsWith("sampler is a name of schedule karras too"));
}

TEST_CASE("what is said on top of a job counts, and the rest stays") {
  AskedJob base;
  base.job.steps = 20;
  base.job.loras = {"a", "b"};
  base.job.seed = 7;
  base.named = {"steps", "loras", "seed"};
  AskedJob over;
  over.job.steps = 5;
  over.job.loras = {"c"};
  over.named = {"steps", "loras"};
  const AskedJob whole = merged(base, over);
  CHECK(whole.job.steps == 5);
  CHECK(whole.job.loras == std::vector<std::string>{"c"});
  CHECK(whole.job.seed == 7);
  CHECK(whole.named == base.named);
}
