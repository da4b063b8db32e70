#include "cli/spelling.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"

namespace lapis::cli {
namespace {

const core::JobField* find_row(std::string_view key) {
  const auto row = std::ranges::find(core::job_fields(), key, &core::JobField::key);
  return row == core::job_fields().end() ? nullptr : &*row;
}

/// "--lora-dir" of "lora_dir", and of a job's field what its row says.
std::string flag_of(std::string_view key) {
  if (const core::JobField* row = find_row(key)) return std::string(core::long_flag(*row));
  std::string flag = "--" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

/// "-m" of "model"; the long flag of what has no letter.
std::string letter_of(std::string_view key) {
  if (key == "output") return "-o";
  const core::JobField* row = find_row(key);
  const bool has_letter = row != nullptr && !row->flags.starts_with("--");
  return has_letter ? std::string(row->flags.substr(0, row->flags.find(','))) : flag_of(key);
}

/// What fields are called that have no flag here, by their keys.
std::map<std::string, std::string, std::less<>>& own_words() {
  static std::map<std::string, std::string, std::less<>> words;
  return words;
}

std::string spelling(core::NameKind kind, std::string_view word) {
  switch (kind) {
    case core::NameKind::field: return flag_of(word);
    case core::NameKind::letter: return letter_of(word);
    case core::NameKind::command: return "lapis " + std::string(word);
  }
  return std::string(word);
}

}  // namespace

std::string spelled(std::string_view text) {
  bool in_line = false;
  return core::spelled(text, [&](core::NameKind kind, std::string_view word) {
    in_line = in_line || kind == core::NameKind::command;
    const auto own = own_words().find(word);
    return in_line || own == own_words().end() ? spelling(kind, word) : own->second;
  });
}

void spell_as(const std::string& key, const std::string& word) { own_words()[key] = word; }

std::vector<std::string> spelled(std::vector<std::string> texts) {
  for (std::string& text : texts) text = spelled(std::string_view(text));
  return texts;
}

}  // namespace lapis::cli
