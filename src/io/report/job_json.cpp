#include "io/report/job_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/job/resolve_sampling.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_reader.hpp"

namespace lapis::io {
namespace {

/// As large as the prompts of a job may be, twice, and more than all else takes.
constexpr std::size_t max_bytes = 4 << 20;

/// A field as JSON has it; limits are told of with the type, and otherwise `resolve`'s affair.
struct SetFrom {
  Job& job;
  const core::JobField& field;
  const JsonValue& value;

  void operator()(bool Job::*member) const { job.*member = value.truth(); }
  void operator()(std::string Job::*member) const { job.*member = value.text(); }
  void operator()(std::optional<std::string> Job::*member) const { job.*member = value.text(); }
  void operator()(std::vector<std::string> Job::*member) const {
    for (const JsonValue& item : value.items()) (job.*member).push_back(item.text());
  }
  void operator()(std::optional<std::int64_t> Job::*member) const {
    using Limits = std::numeric_limits<std::int64_t>;
    job.*member = value.integer(Limits::min(), Limits::max(), expected("a whole number"));
  }
  void operator()(std::optional<std::uint64_t> Job::*member) const { job.*member = value.natural(); }
  void operator()(std::optional<double> Job::*member) const {
    constexpr double largest = std::numeric_limits<double>::max();
    job.*member = value.number(-largest, largest, expected("a number"));
  }

  std::string expected(const char* what) const {
    if (!field.limits) return what;
    return core::sentence("{} of {:g} to {:g}", what, field.limits->lowest, field.limits->highest);
  }
};

/// Files that a command takes.
enum class Inputs { none, one, many };

/// What a line can say of a command beyond its name.
struct CommandRow {
  std::string_view name;
  std::string_view input;  ///< key of the files
  Inputs inputs = Inputs::none;
  std::vector<std::string_view> fields;  ///< of a job; none: all but those that stand for the files
  std::vector<std::string_view> words;
  std::vector<std::string_view> flags;  ///< words that are true or false
};

std::span<const CommandRow> command_rows() {
  static const std::array<CommandRow, 5> rows = {{
      {"generate", "", Inputs::none, {}, {}, {}},
      {"refine", "source", Inputs::one, {}, {}, {}},
      {"encode",
       "images",
       Inputs::many,
       {"model", "width", "height", "fit", "seed", "vae_tiling", "vae_dtype", "device", "threads", "output",
        "overwrite", "skip_existing"},
       {"format"},
       {}},
      {"decode",
       "latent",
       Inputs::one,
       {"model", "vae_tiling", "vae_dtype", "device", "threads", "output", "overwrite", "skip_existing"},
       {"space", "units", "format", "size"},
       {"force", "preview"}},
      {"convert",
       "latent",
       Inputs::one,
       {"vae_tiling", "vae_dtype", "device", "threads", "output", "overwrite", "skip_existing"},
       {"to", "from", "size", "space", "in_units", "in_format", "in_size", "format", "units", "dtype"},
       {"no_convert", "compensate"}},
  }};
  return rows;
}

/// What lapis says of a picture beside its job.
constexpr std::array<std::string_view, 16> facts_of_records = {
    "version",  "path",    "sha256", "pixels_sha256", "index", "size", "history", "notes",
    "warnings", "timings", "space",  "sigma",         "step",  "id",   "line",    "status"};

const CommandRow* find_command(std::string_view name) {
  const auto row = std::ranges::find(command_rows(), name, &CommandRow::name);
  return row == command_rows().end() ? nullptr : &*row;
}

bool takes(const CommandRow& row, std::string_view key) {
  if (!row.fields.empty()) return std::ranges::find(row.fields, key) != row.fields.end();
  return row.inputs == Inputs::none || (key != "image" && key != "init_latent");
}

/// A job out of members of an object, those alone for which `wanted` holds.
template <typename Wanted>
void take_fields(JobLine& line, const JsonValue& object, const Wanted& wanted) {
  for (const core::JobField& field : core::job_fields()) {
    const std::string key(field.key);
    if (!wanted(field) || !object.has(key) || object.at(key).is_null()) continue;
    std::visit([&](auto member) { SetFrom{line.job, field, object.at(key)}(member); }, field.member);
    line.named.insert(key);
  }
  if (line.named.contains("sampler") && core::split_sampler(line.job)) line.named.emplace("schedule");
}

void take_record(JobLine& line, const JsonValue& fields) {
  line.is_record = true;
  std::vector<std::string> keys(facts_of_records.begin(), facts_of_records.end());
  for (const core::JobField& field : core::job_fields()) {
    if (core::is_recorded(field)) keys.emplace_back(field.key);
  }
  fields.expect_keys({}, keys);
  take_fields(line, fields, core::is_recorded);
}

void take_inputs(JobLine& line, const CommandRow& row, const JsonValue& value) {
  if (row.inputs == Inputs::one || value.is_text()) {
    line.inputs.push_back(value.name());
    return;
  }
  for (const JsonValue& item : value.items()) line.inputs.push_back(item.name());
}

void take_command(JobLine& line, const CommandRow& row, const JsonValue& whole) {
  std::vector<std::string> needed;
  std::vector<std::string> others = {"command", "name"};
  if (row.inputs != Inputs::none) needed.emplace_back(row.input);
  others.insert(others.end(), row.words.begin(), row.words.end());
  others.insert(others.end(), row.flags.begin(), row.flags.end());
  const auto is_taken = [&](const core::JobField& field) {
    const auto is_key = [&](std::string_view word) { return word == field.key; };
    return takes(row, field.key) && std::ranges::none_of(row.words, is_key) && std::ranges::none_of(row.flags, is_key);
  };
  for (const core::JobField& field : core::job_fields()) {
    if (is_taken(field)) others.emplace_back(field.key);
  }
  whole.expect_keys(needed, others);
  if (row.inputs != Inputs::none) take_inputs(line, row, whole.at(std::string(row.input)));
  for (const std::string_view word : row.words) {
    const std::string key(word);
    if (whole.has(key)) line.words[key] = whole.at(key).name();
  }
  for (const std::string_view word : row.flags) {
    const std::string key(word);
    if (whole.has(key)) line.words[key] = whole.at(key).truth() ? "on" : "off";
  }
  take_fields(line, whole, is_taken);
}

}  // namespace

std::vector<std::string> line_commands() {
  std::vector<std::string> names;
  for (const CommandRow& row : command_rows()) names.emplace_back(row.name);
  return names;
}

bool takes_field(std::string_view command, std::string_view key) {
  const CommandRow* row = find_command(command);
  return row != nullptr && takes(*row, key);
}

JobLine read_job_line(std::string_view text, const std::string& name) {
  const JsonSource source{name, ErrorKind::input, "", max_bytes};
  const nlohmann::json document = parse_json(text, source);
  const JsonValue whole(document, source);
  JobLine line;
  if (whole.has("job")) {
    line.is_settings = true;
    take_record(line, whole.at("job"));
    return line;
  }
  if (whole.has("version")) {
    take_record(line, whole);
    return line;
  }
  const std::vector<std::string> commands = line_commands();
  if (whole.has("command")) line.command = commands[whole.at("command").choice(commands)];
  if (whole.has("name")) line.name = whole.at("name").name();
  take_command(line, *find_command(line.command), whole);
  return line;
}

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
    if (fields.has(key)) std::visit([&](auto member) { SetFrom{job, field, fields.at(key)}(member); }, field.member);
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
