#include "io/report/import_report.hpp"

#include <nlohmann/json.hpp>

#include "io/file/json_text.hpp"

namespace lapis::io {

std::string import_line(const ImportReport& report) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::object();
  for (const ImportedPartReport& part : report.parts) {
    parts[part.part] = {
        {"graph", part.graph}, {"naming", part.key_scheme}, {"dtype", part.dtype}, {"files", part.files}};
  }
  const nlohmann::ordered_json json = {{"path", report.path},     {"name", report.name},      {"title", report.title},
                                       {"family", report.family}, {"space", report.space},    {"parts", parts},
                                       {"notes", report.notes},   {"seconds", report.seconds}};
  return json_text(json);
}

}  // namespace lapis::io
