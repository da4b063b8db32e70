#include "io/report/job_json.hpp"

#include <limits>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_reader.hpp"

namespace lapis::io {
namespace {

/// As large as the prompts of a job may be, twice, and more than all else takes.
constexpr std::size_t max_bytes = 4 << 20;

struct SetFrom {
  Job& job;
  const JsonValue& value;

  void operator()(bool Job::*member) const { job.*member = value.truth(); }
  void operator()(std::string Job::*member) const { job.*member = value.text(); }
  void operator()(std::optional<std::string> Job::*member) const { job.*member = value.text(); }
  void operator()(std::vector<std::string> Job::*member) const {
    for (const JsonValue& item : value.items()) (job.*member).push_back(item.text());
  }
  void operator()(std::optional<std::int64_t> Job::*member) const {
    using Limits = std::numeric_limits<std::int64_t>;
    job.*member = value.integer(Limits::min(), Limits::max());
  }
  void operator()(std::optional<std::uint64_t> Job::*member) const { job.*member = value.natural(); }
  void operator()(std::optional<double> Job::*member) const {
    constexpr double largest = std::numeric_limits<double>::max();
    job.*member = value.number(-largest, largest);
  }
};

}  // namespace

Job job_from_json(std::string_view text, const std::string& name) {
  const JsonSource source{core::sentence("{}, the job it records", name), ErrorKind::input,
                          core::marked("Give prompt and settings yourself, and {model}"), max_bytes};
  const nlohmann::json document = parse_json(text, source);
  const JsonValue whole(document, source);
  const std::vector<std::string> others = {"version", "model", "embeddings", "loras", "then"};
  whole.expect_keys(std::vector<std::string>{"job"}, others);
  std::vector<std::string> keys;
  for (const core::JobField& field : core::job_fields()) {
    if (core::is_recorded(field)) keys.emplace_back(field.key);
  }
  const JsonValue fields = whole.at("job");
  fields.expect_keys({}, keys);
  Job job;
  for (const std::string& key : keys) {
    const core::JobField& field = core::find_job_field(key);
    if (fields.has(key)) std::visit([&](auto member) { SetFrom{job, fields.at(key)}(member); }, field.member);
  }
  return job;
}

std::map<std::string, std::string> lora_digests(std::string_view text, const std::string& name) {
  const JsonSource source{core::sentence("{}, the job it records", name), ErrorKind::input,
                          core::marked("Name the LoRAs yourself: {loras}"), max_bytes};
  const nlohmann::json document = parse_json(text, source);
  const JsonValue whole(document, source);
  std::map<std::string, std::string> digests;
  if (!whole.has("loras")) return digests;
  for (const JsonValue& lora : whole.at("loras").items()) digests[lora.at("name").text()] = lora.at("sha256").text();
  return digests;
}

}  // namespace lapis::io
