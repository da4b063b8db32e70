#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <limits>
#include <set>
#include <string>

#include "../folder.hpp"
#include "../sample_model.hpp"
#include "core/job/job_fields.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("keys and flags are not given twice, and every row can be found") {
  std::set<std::string> flags;
  for (const JobField& field : job_fields()) {
    INFO(field.key);
    CHECK(&find_job_field(field.key) == &field);
    CHECK_FALSE(field.help.empty());
    std::string_view rest = field.flags;
    while (!rest.empty()) {
      const std::string_view flag = rest.substr(0, rest.find(','));
      CHECK(flag.starts_with("-"));
      CHECK(flags.insert(std::string(flag)).second);
      rest.remove_prefix(std::min(flag.size() + 1, rest.size()));
    }
    CHECK(long_flag(field).starts_with("--"));
    CHECK_FALSE(group_title(field.group).empty());
    CHECK(field.value_name.empty() == std::holds_alternative<bool Job::*>(field.member));
    CHECK(help_text(field).find('%') == std::string::npos);
    CHECK((field.help.find('%') == std::string_view::npos || !field.choices().empty()));
  }
  CHECK(long_flag(find_job_field("width")) == "--width");
  CHECK_THROWS_WITH(find_job_field("widht"), Catch::Contains("Did you mean \"width\"?"));
}

TEST_CASE("fields are set from text by their row alone") {
  Job job;
  set_field(job, find_job_field("prompt"), "a lake");
  set_field(job, find_job_field("sampler"), "euler");
  set_field(job, find_job_field("width"), "256");
  set_field(job, find_job_field("guidance"), "4.5");
  set_field(job, find_job_field("seed"), "18446744073709551615");
  CHECK(job.prompt == "a lake");
  CHECK(job.sampler == "euler");
  CHECK(job.width == 256);
  CHECK(job.guidance == 4.5);
  CHECK(job.seed == std::numeric_limits<std::uint64_t>::max());
  set_field(job, find_job_field("seed"), "-1");
  CHECK_FALSE(job.seed.has_value());
}

namespace {

bool is_empty_optional(const ResolvedJob& /*job*/, Unrecorded /*none*/) { return true; }
bool is_empty_optional(const ResolvedJob& /*job*/, ModelName /*always*/) { return false; }

template <typename Member>
bool is_empty_optional(const ResolvedJob& job, Member member) {
  if constexpr (requires { (job.*member).has_value(); }) return !(job.*member).has_value();
  return false;
}

}  // namespace

TEST_CASE("what is no number is refused with its flag") {
  Job job;
  const JobField& width = find_job_field("width");
  CHECK_THROWS_WITH(set_field(job, width, "12x"), "width is \"12x\"; expected a whole number");
  CHECK_THROWS_WITH(set_field(job, width, ""), "width is \"\"; expected a whole number");
  CHECK_THROWS_WITH(set_field(job, width, "1.5"), "width is \"1.5\"; expected a whole number");
  CHECK_THROWS_WITH(set_field(job, find_job_field("seed"), "18446744073709551616"),
                    Catch::Contains("up to 18446744073709551615"));
  CHECK_THROWS_WITH(set_field(job, find_job_field("width"), "99999999999999999999"), Catch::Contains("64 to 16384"));
  for (const char* text : {"", "-", "+1", "1.5", "0x10", " 1", "1 "}) {
    CHECK_THROWS_WITH(set_field(job, find_job_field("seed"), text), Catch::Contains("whole number"));
  }
  CHECK_THROWS_WITH(set_field(job, find_job_field("guidance"), "high"), "guidance is \"high\"; expected a number");
  CHECK_FALSE(job.width.has_value());
}

TEST_CASE("a resolved job lists every row once, in the table's order") {
  ResolvedJob job;
  job.prompt = "a lake";
  job.width = 128;
  job.height = 192;
  job.guidance = 7.5;
  job.seed = std::uint64_t{1} << 40;
  job.spacing = Spacing::trailing;
  job.original_size = {1024, 768};
  job.crop = {8, 64};
  const auto fields = resolved_fields(job, test::sample_model());
  std::vector<std::string> always;  // the rows that every job has a value of
  for (const JobField& field : job_fields()) {
    if (!std::visit([&](auto member) { return is_empty_optional(job, member); }, field.resolved)) {
      always.emplace_back(field.key);
    }
  }
  REQUIRE(fields.size() == always.size());
  CHECK(fields.size() < job_fields().size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto& [key, value] = fields[i];
    CHECK(key == always[i]);
    if (key == "prompt") CHECK(value == FieldValue("a lake"));
    if (key == "model") CHECK(value == FieldValue("sample"));
    if (key == "height") CHECK(value == FieldValue(std::int64_t{192}));
    if (key == "seed") CHECK(value == FieldValue(std::int64_t{1} << 40));
    if (key == "guidance") CHECK(value == FieldValue(7.5));
    if (key == "spacing") CHECK(value == FieldValue("trailing"));
    if (key == "original_size") CHECK(value == FieldValue("1024x768"));
    if (key == "crop") CHECK(value == FieldValue("8,64"));
  }
  job.seed = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [key, value] : resolved_fields(job, test::sample_model())) {
    if (key == "seed") CHECK(value == FieldValue(std::numeric_limits<std::uint64_t>::max()));
  }
  job.strength = 0.5;
  job.hires_steps = 7;
  const auto more = resolved_fields(job, test::sample_model());
  CHECK(more.size() == fields.size() + 2);
  for (const auto& [key, value] : more) {
    if (key == "strength") CHECK(value == FieldValue(0.5));
    if (key == "hires_steps") CHECK(value == FieldValue(std::int64_t{7}));
  }
}

namespace {

/// What a field takes, as docs/cli.md has it.
std::string takes(const JobField& field) {
  const std::vector<std::string> choices = field.choices();
  constexpr std::size_t most = 5;
  if (choices.size() > most) return "a name of `lapis list " + std::string(field.key) + "s`";
  if (!choices.empty()) return either_of(choices);
  if (field.value_name.empty()) return "nothing: it is a flag";
  const std::string name(field.value_name);
  if (!field.limits) return name;
  return name + ", " + number_text(field.limits->lowest) + " to " + number_text(field.limits->highest);
}

std::string documented(const JobField& field) {
  std::string flags = "`" + std::string(field.flags) + "`";
  for (std::size_t at = flags.find(','); at != std::string::npos; at = flags.find(',', at + 4)) {
    flags.replace(at, 1, "`, `");
  }
  return "| " + std::string(field.key) + " | " + flags + " | " + takes(field) + " |";
}

}  // namespace

TEST_CASE("docs/cli.md has the table of fields") {
  std::ifstream page(test::folder().parent_path() / "docs/cli.md");
  std::string found;
  std::string line;
  while (std::getline(page, line) && line != "| field | option | takes |") continue;
  std::getline(page, line);  // the rule below the head
  while (std::getline(page, line) && !line.empty()) found += line + "\n";
  std::string expected;
  for (const JobField& field : job_fields()) expected += documented(field) + "\n";
  CHECK(found == expected);
}
