// What the io tests share: a folder that goes away, files as bytes, errors as values.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../folder.hpp"
#include "lapis/error.hpp"

namespace lapis::io::test {

using lapis::test::TemporaryFolder;

inline std::filesystem::path data_file(const std::string& name) { return lapis::test::folder() / "data" / name; }

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file of tests/data/latents.
inline std::string latent_data(const std::string& name) { return read_text(data_file("latents/" + name)); }

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
