#include "cli/advice.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <utility>
#include <vector>

#include "cli/foreign_words.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"

namespace lapis::cli {
namespace {

/// The only name that begins with `word`, or the one that it is a misspelling of; "" for none.
std::string meant(const std::string& word, const std::vector<std::string>& names) {
  std::vector<std::string> beginning;
  std::copy_if(names.begin(), names.end(), std::back_inserter(beginning),
               [&](const std::string& name) { return name.starts_with(word); });
  if (beginning.size() == 1) return beginning.front();
  return core::closest(word, names).value_or("");
}

/// Whether `word` is the beginning of `name`, or that with a letter wrong or in another place: sure enough to be typed.
bool is_slip(const std::string& word, const std::string& name) {
  return name.starts_with(word) || core::edit_distance(word, name) <= 1 ||
         (word.size() == name.size() && std::is_permutation(word.begin(), word.end(), name.begin()));
}

/// The same letter as the other kind of letter: "-w" for "-W". What is no letter stays.
std::string other_case(std::string_view flag) {
  const char letter = flag.back();
  if (letter >= 'a' && letter <= 'z') return {'-', static_cast<char>(letter - 'a' + 'A')};
  if (letter >= 'A' && letter <= 'Z') return {'-', static_cast<char>(letter - 'A' + 'a')};
  return std::string(flag);
}

/// "512x768", or one side of a square, as two options.
std::string size_line(const Value& value) {
  const std::string text = value.value_or("512x512");
  const std::size_t middle = std::min(text.find_first_of("xX*,"), text.size());
  const std::string width = text.substr(0, middle);
  const std::string height = middle < text.size() ? text.substr(middle + 1) : width;
  return is_number(width) && is_number(height) ? core::sentence("-W {} -H {}", width, height) : "-W 512 -H 512";
}

/// An option of `command`, or the beginning of a line, with the value that was given to another word.
std::string with_value(CLI::App& command, const std::string& ours, const Value& value) {
  if (ours.starts_with("-W ")) return size_line(value);
  if (ours.starts_with('-') && ours.find(' ') != std::string::npos) return ours;
  const CLI::Option* option = ours.starts_with('-') ? find_option(command, ours) : nullptr;
  if (option != nullptr && is_flag(*option)) return ours;
  const std::string typed = value ? core::shell_word(*value) : option == nullptr ? "FILE" : option->get_type_name();
  return core::sentence("{} {}", ours, typed);
}

/// A line to type.
std::string type(const std::string& line) { return core::sentence("Type: {}", line); }

/// `what`, and behind it the note of another tool's word.
std::string with_note(const std::string& what, const ForeignWord& foreign) {
  return foreign.note.empty() ? what : core::sentence("{}. {}", what, foreign.note);
}

/// A name like "a.png", which no prompt is.
bool is_file_name(const std::string& word) {
  return word.find(' ') == std::string::npos && std::filesystem::path(word).has_extension();
}

/// Takes out of `words` the first that is a file's name, or that is none, of those before the first option; "" for
/// none.
std::string taken(std::vector<std::string>& words, bool file) {
  const auto options = std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('-'); });
  const auto found =
      std::find_if(words.begin(), options, [&](const std::string& word) { return is_file_name(word) == file; });
  if (found == options) return "";
  std::string word = std::move(*found);
  words.erase(found);
  return word;
}

/// The line that begins with `ours`: words in place of its FILE and TEXT, and then the others.
std::string filled_line(std::string_view ours, Words given) {
  std::vector<std::string> words(given.begin(), given.end());
  std::vector<std::string> parts;
  std::istringstream stream{std::string(ours)};
  for (std::string part; stream >> part;) {
    const bool file = part == "FILE";
    const std::string word = file || part == "TEXT" ? taken(words, file) : "";
    parts.push_back(word.empty() ? part : file ? core::shell_word(word) : quoted_prompt(std::array{word}));
  }
  return line_of(core::joined(parts, " "), words);
}

/// The commands that have an option.
std::string owners(CLI::App& app, std::string_view flag) {
  std::vector<std::string> names;
  for (CLI::App* command : commands_of(app)) {
    if (find_option(*command, flag) != nullptr) names.push_back(command->get_name());
  }
  return core::joined(names);
}

/// A line without one of its words.
std::vector<std::string> without(Words words, std::size_t left_out) {
  std::vector<std::string> rest(words.begin(), words.end());
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(left_out));
  return rest;
}

}  // namespace

std::string line_of(const std::string& begin, Words words) {
  std::string line = begin;
  for (const std::string& word : words) line += " " + core::shell_word(word);
  return line;
}

std::string quoted_prompt(Words words) {
  std::string text = core::joined(words, " ");
  for (const std::string_view quote : {"\u201c", "\u201d", "\u201e", "\u00ab", "\u00bb"}) {
    for (std::size_t at = text.find(quote); at != std::string::npos; at = text.find(quote))
      text.erase(at, quote.size());
  }
  return text.find_first_of("\"$`\\!") == std::string::npos ? '"' + text + '"' : core::shell_word(text);
}

Advice unknown_option(CLI::App& command, std::string_view flag, const Value& value) {
  const std::string word(flag);
  const std::string what = core::sentence("there is no option \"{}\"", word);
  if (const ForeignWord* foreign = find_foreign(foreign_options(), flag)) {
    const std::string ours(foreign->ours);
    const bool known = !ours.starts_with('-') || find_option(command, ours.substr(0, ours.find(' '))) != nullptr;
    if (known) return {with_note(what, *foreign), ours.empty() ? "" : type(with_value(command, ours, value))};
  }
  if (flag.size() == 2) {
    const std::string other = other_case(flag);
    const CLI::Option* option = find_option(command, other);
    if (option != nullptr) {
      return {core::sentence("{}. Did you mean {} ({})?", what, other, option->get_description()),
              type(with_value(command, other, value))};
    }
  } else if (const std::string name = meant(word, option_names(command)); !name.empty()) {
    return {core::sentence("{}. Did you mean \"{}\"?", what, name),
            is_slip(word, name) ? type(with_value(command, name, value)) : ""};
  }
  const std::string others = owners(*command.get_parent(), flag);
  return {others.empty() ? what : core::sentence("{} is an option of {}, not of this command", flag, others), ""};
}

Advice unknown_command(CLI::App& app, Words words, bool drawn) {
  const std::string& word = words.front();
  const std::vector<std::string> names = command_names(app);
  const std::string what = core::sentence("there is no command \"{}\"", word);
  if (const ForeignWord* foreign = find_foreign(foreign_commands(), word)) {
    return {with_note(what, *foreign), type(filled_line(foreign->ours, words.subspan(1)))};
  }
  const std::string listed = core::listed(names);
  if (const std::string name = meant(word, names); !name.empty()) {
    return {core::sentence("{}. Did you mean \"{}\"?", what, name), core::sentence("There are {}", listed)};
  }
  const std::string all = core::sentence("{}; there are {}", what, listed);
  if (!drawn) return {all, ""};
  std::size_t count = 0;  // of the prompt's words
  while (count < words.size() && !words[count].starts_with('-')) ++count;
  const std::string begin = core::sentence("lapis generate {}", quoted_prompt(words.first(count)));
  return {all, core::sentence("To draw it: {}", line_of(begin, words.subspan(count)))};
}

Advice leading_option(CLI::App& app, Words words) {
  const std::string& word = words.front();
  const std::string flag = word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (find_command(app, words[i]) == nullptr) continue;
    return {core::sentence("the command comes first, and options such as {} behind it", flag),
            type(line_of("lapis " + words[i], without(words, i)))};
  }
  CLI::App* generate = find_command(app, "generate");
  if (generate != nullptr && find_option(*generate, flag) != nullptr) {
    return {core::sentence("the command is missing before {}", flag),
            core::sentence("To draw a picture: {}", line_of("lapis generate", words))};
  }
  return {core::sentence("there is no option \"{}\", and no command", flag), ""};
}

std::optional<Advice> lost_hyphens(CLI::App& command, std::string_view word, const Value& next) {
  static constexpr std::array<std::string_view, 4> dashes = {"-", "\u2013", "\u2014", "\u2212"};
  const auto dash = std::find_if(dashes.begin(), dashes.end(), [&](std::string_view d) { return word.starts_with(d); });
  if (dash == dashes.end() || word.starts_with("--")) return std::nullopt;
  const std::string bare(word.substr(std::min(word.find_first_not_of('-', dash->size()), word.size())));
  const bool is_short = bare.size() == 1;
  if (bare.empty() || (is_short && *dash == "-")) return std::nullopt;
  const std::string meant = (is_short ? "-" : "--") + bare;
  const std::string flag = meant.substr(0, meant.find('='));
  const Value value = flag.size() < meant.size() ? meant.substr(flag.size() + 1) : next;
  const std::string what = core::sentence(
      "\"{}\" begins with {}", word,
      *dash == "-" ? "one hyphen, and a long option with two" : "a long dash, and an option with hyphens");
  if (find_option(command, flag) != nullptr) return Advice{what, type(with_value(command, flag, value))};
  if (find_foreign(foreign_options(), flag) == nullptr) return std::nullopt;
  return unknown_option(command, flag, value);
}

}  // namespace lapis::cli
