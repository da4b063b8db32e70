#include "io/report/kept_files.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "io/file/atomic_file.hpp"
#include "io/file/json_text.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

/// What is written down, read anew each time: shards may share a folder. One that is broken tells nothing.
Json read(const fs::path& record) {
  std::ifstream file(record);
  Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

void write(const fs::path& record, const Json& json) {
  const std::string text = json_text(json, 1) + "\n";
  write_file(record, std::as_bytes(std::span(text)), /*overwrite=*/true);
}

bool is_as_written(const fs::path& file, const std::string& sha256) {
  try {
    return sha256_file(file, ErrorKind::input) == sha256;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

KeptFiles::KeptFiles(fs::path folder, const fs::path& suite) : folder_(std::move(folder)) {
  std::error_code ignored;
  suite_ = fs::weakly_canonical(fs::absolute(suite, ignored), ignored).string();
}

fs::path KeptFiles::record() const { return folder_ / ".lapis-smoke.json"; }

void KeptFiles::clear(const std::string& name) const {
  const Json known = read(record());
  Json left = Json::object();
  for (const auto& [file, facts] : known.items()) {
    const bool is_ours = facts.is_object() && facts.value("suite", Json()) == suite_ &&
                         facts.value("case", Json()) == name && fs::path(file).filename() == file;
    if (!is_ours) {
      left[file] = facts;
      continue;
    }
    std::error_code ignored;
    const Json digest = facts.value("sha256", Json());
    if (digest.is_string() && is_as_written(folder_ / file, digest.get<std::string>())) {
      fs::remove(folder_ / file, ignored);
    }
  }
  if (left.size() == known.size()) return;
  if (!left.empty()) return io::write(record(), left);
  std::error_code ignored;
  fs::remove(record(), ignored);
}

std::string KeptFiles::write(const std::string& name, const std::string& file, std::span<const std::byte> bytes) const {
  const fs::path path = folder_ / file;
  std::error_code ignored;  // what cannot be made is told by whoever writes there
  fs::create_directories(folder_, ignored);
  write_file(path, bytes, /*overwrite=*/true);
  Json known = read(record());
  known[file] = {{"suite", suite_}, {"case", name}, {"sha256", sha256(bytes)}};
  io::write(record(), known);
  return path.string();
}

}  // namespace lapis::io
