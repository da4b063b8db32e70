#include "pipeline/matrix_outputs.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <system_error>

#include "core/picture/sheet.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/picture/png.hpp"
#include "io/report/matrix_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

/// One of the files: its name, and what is in it.
struct MatrixFile {
  const char* name;
  std::vector<std::byte> (*bytes)(const core::Matrix& matrix);
};

std::vector<std::byte> bytes_of(const std::string& text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

constexpr std::array<MatrixFile, 3> files = {{
    {"matrix.png", [](const core::Matrix& matrix) { return io::encode_png(core::drawn(core::sheet_of(matrix)), {}); }},
    {"matrix.json", [](const core::Matrix& matrix) { return bytes_of(io::matrix_report(matrix) + "\n"); }},
    {"matrix.html", [](const core::Matrix& matrix) { return bytes_of(io::matrix_page(matrix)); }},
}};

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (error) {
    throw Error(ErrorKind::output,
                core::sentence("the folder {} cannot be made: {}", folder.string(), error.message()));
  }
}

}  // namespace

std::vector<Output> plan_matrix_outputs(const std::string& folder, const OutputPolicy& policy) {
  check_output(policy);
  if (folder.empty())
    throw Error(ErrorKind::usage, core::sentence("{-output} names no folder. Leave it out, or name one"));
  if (output_name(folder) == "-") {
    throw Error(ErrorKind::usage,
                core::sentence("{-output} {}: a matrix is three files in a folder, not standard output. Name a folder",
                               folder));
  }
  std::vector<Output> outputs;
  for (const MatrixFile& file : files) outputs.push_back({(fs::path(folder) / file.name).string(), std::nullopt});
  std::error_code ignored;
  if (fs::exists(folder, ignored)) {
    plan_outputs(outputs, policy);
  } else {
    io::check_writable(fs::path(outputs.front().path).parent_path(), false);
  }
  return outputs;
}

void save(const core::Matrix& matrix, const std::vector<Output>& outputs, const OutputPolicy& policy) {
  make_folder(fs::path(outputs.front().path).parent_path());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].stays) io::write_file(outputs[i].path, files.at(i).bytes(matrix), policy.overwrite);
  }
}

}  // namespace lapis::pipeline
