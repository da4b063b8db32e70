// What the io tests share: a folder that goes away, files as bytes, errors as values.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <vector>

#include "../folder.hpp"
#include "lapis/error.hpp"

namespace lapis::io::test {

/// A new folder, removed with all it holds at the end of a test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lapis-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = std::filesystem::canonical(name);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// The names of what lies in it.
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) result.push_back(entry.path().filename());
    std::sort(result.begin(), result.end());
    return result;
  }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path data_file(const std::string& name) { return lapis::test::folder() / "data" / name; }

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// The error that `action` ends with, or none.
inline std::optional<Error> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// Checks that `action` fails with an error of `kind` whose text holds every one of `parts` and is fit to print.
inline void check_fails(ErrorKind kind, const std::vector<std::string>& parts, const std::function<void()>& action) {
  const std::optional<Error> error = error_of(action);
  INFO("expected a failure that says: " << (parts.empty() ? "anything" : parts.front()));
  REQUIRE(error.has_value());
  const std::string text = error->what();
  CHECK(error->kind() == kind);
  for (const std::string& part : parts) CHECK_THAT(text, Catch::Contains(part));
  CHECK(std::count(text.begin(), text.end(), '\n') <= 1);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.back() != '\n');
}

}  // namespace lapis::io::test
