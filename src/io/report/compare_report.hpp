// What `compare` says in JSON, and to CI servers. docs/cli.md describes the document.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/picture/tolerance.hpp"
#include "io/report/changed_settings.hpp"
#include "io/report/junit.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// One of two files.
struct ComparedFile {
  std::string path;                ///< empty where there is none of that name
  std::string format;              ///< "PNG"; of a latent "lapis", "npy"
  std::vector<std::int64_t> size;  ///< width and height of a picture; shape of a latent
  std::string pixels_sha256;       ///< of a picture
  int bits = 8;                    ///< of a value of a picture, of which the upper 8 are compared
};

/// Two files, and what came of comparing them.
struct ComparedPair {
  std::string name;  ///< of the file in both folders; of two files that are named, the first
  ComparedFile a;
  ComparedFile b;
  std::optional<core::Difference> difference;  ///< none where nothing could be measured
  core::Tolerance tolerance;                   ///< that was asked of it
  core::Judgement judgement;                   ///< with a breach "missing" or "size" where nothing could be measured
  std::optional<ChangedSettings> changed;      ///< of different files that both hold their settings
  std::vector<std::string> notes;
  std::optional<Error> error;  ///< why the two could not be compared
  double seconds = 0;

  bool equal() const { return !error && judgement.equal(); }
  /// Whether a picture has bits that are not compared.
  bool is_cut() const { return a.bits > 8 || b.bits > 8; }
};

/// How many pairs of each kind there are.
struct PairCounts {
  std::size_t equal = 0;
  std::size_t different = 0;  ///< those that are missing on one side among them
  std::size_t errors = 0;
};

PairCounts counts_of(std::span<const ComparedPair> pairs);

/// The document, on one line; `a` and `b` are what was named.
std::string compare_report(const std::string& a, const std::string& b, std::span<const ComparedPair> pairs);

/// Each pair as a test.
JUnitSuite compare_suite(std::span<const ComparedPair> pairs);

/// What was measured of two different files, as rows of a name and a value for people.
std::vector<std::vector<std::string>> measure_rows(const ComparedPair& pair);

/// What the thresholds that were not kept say, and the worst place, in one line.
std::string breach_text(const ComparedPair& pair);

}  // namespace lapis::io
