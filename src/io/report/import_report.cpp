#include "io/report/import_report.hpp"

#include <nlohmann/json.hpp>

#include "io/file/json_text.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string import_line(const ImportReport& report) {
  Json parts = Json::object();
  for (const ImportedPartReport& part : report.parts) {
    parts[part.part] = {
        {"graph", part.graph}, {"naming", part.key_scheme}, {"dtype", part.dtype}, {"files", part.files}};
  }
  const Json json = {{"path", report.path},     {"name", report.name},      {"title", report.title},
                     {"family", report.family}, {"space", report.space},    {"parts", parts},
                     {"notes", report.notes},   {"seconds", report.seconds}};
  return json_text(json);
}

}  // namespace lapis::io
