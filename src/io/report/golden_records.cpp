#include "io/report/golden_records.hpp"

#include <array>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <sys/utsname.h>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/json_text.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr const char* file_name = "goldens.json";
constexpr std::size_t largest_file = std::size_t{16} << 20;

GoldenRecord record_in(const JsonValue& value) {
  value.expect_keys(std::vector<std::string>{"approved", "model", "model_sha256"});
  GoldenRecord record;
  record.model = value.at("model").text();
  record.model_sha256 = value.at("model_sha256").text();
  for (const JsonValue& item : value.at("approved").items()) {
    item.expect_keys(std::vector<std::string>{"pixels_sha256", "cpu", "program"});
    record.approved.push_back({item.at("pixels_sha256").text(), item.at("cpu").text(), item.at("program").text()});
  }
  return record;
}

/// What /proc/cpuinfo says of the first processor.
std::map<std::string, std::string> cpu_facts() {
  std::map<std::string, std::string> facts;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    facts[line.substr(0, line.find_last_not_of("\t ", colon - 1) + 1)] = line.substr(colon + 2);
  }
  return facts;
}

}  // namespace

GoldenRecords read_golden_records(const fs::path& folder) {
  const fs::path path = folder / file_name;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  const JsonSource source{path.string(), ErrorKind::input,
                          core::marked("Restore the file, or approve all cases anew: {update}"), largest_file};
  const nlohmann::json document = read_json(source);
  GoldenRecords records;
  for (const auto& [name, value] : JsonValue(document, source).members()) records[name] = record_in(value);
  return records;
}

void write_golden_records(const fs::path& folder, const GoldenRecords& records) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, record] : records) {
    nlohmann::ordered_json approved = nlohmann::ordered_json::array();
    for (const Approval& approval : record.approved) {
      approved.push_back(
          {{"pixels_sha256", approval.pixels_sha256}, {"cpu", approval.cpu}, {"program", approval.program}});
    }
    json[name] = {{"approved", approved}, {"model", record.model}, {"model_sha256", record.model_sha256}};
  }
  const std::string text = json_text(json, 1) + "\n";
  write_file(folder / file_name, std::as_bytes(std::span(text)), /*overwrite=*/true);
}

std::string cpu_class() {
  // Libraries of numbers choose by the maker and the model, too: two CPUs with the same units round differently.
  constexpr std::array makers = {"vendor_id", "cpu family", "model", "CPU implementer", "CPU part"};
  constexpr std::array told = {"avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "bf16"};
  utsname machine{};
  ::uname(&machine);
  std::string text = static_cast<const char*>(machine.machine);
  std::map<std::string, std::string> facts = cpu_facts();
  for (const char* maker : makers) {
    if (const auto fact = facts.find(maker); fact != facts.end()) text += " " + fact->second;
  }
  std::istringstream words(facts["flags"] + facts["Features"]);
  const std::set<std::string> flags(std::istream_iterator<std::string>(words), {});
  for (const char* flag : told) {
    if (flags.contains(flag)) text += core::sentence(" {}", std::string(flag));
  }
  return text;
}

}  // namespace lapis::io
