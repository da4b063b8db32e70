// What `import` says in JSON. docs/cli.md describes the document.
#pragma once

#include <string>
#include <vector>

namespace lapis::io {

/// One part of the model.
struct ImportedPartReport {
  std::string part;
  std::string graph;
  std::string key_scheme;
  std::string dtype;
  std::vector<std::string> files;
};

/// A model that was made.
struct ImportReport {
  std::string path;  ///< of the model's folder
  std::string name;
  std::string title;  ///< what was recognized, for people
  std::string family;
  std::string space;
  std::vector<ImportedPartReport> parts;
  std::vector<std::string> notes;
  double seconds = 0;
};

/// The document, on one line.
std::string import_line(const ImportReport& report);

}  // namespace lapis::io
