#include "jobs/output_template.hpp"

#include <array>
#include <cstdint>
#include <optional>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::jobs {
namespace {

constexpr std::size_t longest_word = 80;  ///< bytes; file systems allow 255 for the whole name
const std::array<std::string, 6> place_names = {"line", "name", "seed", "index", "model", "prompt"};

bool is_plain(char c) {
  const bool is_letter =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80) != 0;
  return is_letter || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

bool makes_pictures(const std::string& command) { return command != "encode" && command != "convert"; }

[[noreturn]] void refuse_nameless(const std::string& pattern, const char* word) {
  throw Error(ErrorKind::usage, core::sentence("{-output} {}: the job has no {}", pattern, word));
}

/// `pattern` with what is known of the job.
std::string named(const std::string& pattern, const BatchJob& job, const std::string& model) {
  return pipeline::filled(pattern, place_names, [&](const std::string& word) -> std::optional<std::string> {
    if (word == "line") return std::to_string(job.line);
    if (word == "model") return safe_name(model);
    if (word == "name" && job.said.name.empty()) refuse_nameless(pattern, "name");
    if (word == "name") return safe_name(job.said.name);
    if (word == "prompt" && job.said.job.prompt.empty()) refuse_nameless(pattern, "prompt");
    if (word == "prompt") return safe_name(job.said.job.prompt);
    return std::nullopt;
  });
}

}  // namespace

std::string safe_name(const std::string& text) {
  std::string word;
  for (const char c : text) {
    if (is_plain(c)) {
      word += c;
    } else if (!word.empty() && word.back() != '-') {
      word += '-';
    }
  }
  std::size_t size = std::min(word.size(), longest_word);
  while (size > 0 && size < word.size() && (static_cast<unsigned char>(word[size]) & 0xC0) == 0x80) --size;
  word.resize(size);
  while (!word.empty() && (word.back() == '-' || word.back() == '.')) word.pop_back();
  word.erase(0, word.find_first_not_of(".-"));
  return word.empty() ? "_" : word;
}

void check_template(const std::string& pattern, const char* key) {
  if (pattern.empty()) {
    throw Error(ErrorKind::usage, core::sentence("{} is empty. Name a file or a folder", core::field_name(key)));
  }
  pipeline::filled(pattern, place_names, [](const std::string& /*word*/) { return std::nullopt; });
  if (pipeline::output_name(pattern) != "-") return;
  throw Error(ErrorKind::usage,
              core::sentence("{} is standard output, where a batch reports. Name a file", core::field_name(key)));
}

void name_outputs(BatchJob& job, const std::string& model) {
  Job& said = job.said.job;
  const bool has_latent = said.latent && makes_pictures(job.said.command);
  if (said.latent) {
    check_template(*said.latent, "latent");
    said.latent = named(pipeline::in_folder(*said.latent, "{line:04}.safetensors"), job, model);
  }
  if (!said.output && has_latent) return;
  const std::string output = said.output.value_or(default_output);
  check_template(output, "output");
  const char* const usual = makes_pictures(job.said.command) ? "{line:04}.png" : "{line:04}.safetensors";
  said.output = named(pipeline::in_folder(output, usual), job, model);
  job.said.named.emplace("output");
}

std::filesystem::path folder_of(const std::string& output) {
  const std::string fixed = output.substr(0, output.find('{'));
  const std::size_t slash = fixed.rfind('/');
  const bool is_folder = pipeline::in_folder(output, "x.png") != output;
  if (is_folder && fixed == output) return output;
  return slash == std::string::npos ? "." : fixed.substr(0, slash + 1);
}

}  // namespace lapis::jobs
