#include "cli/advice.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "cli/foreign_words.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"

namespace lapis::cli {
namespace {

using Value = std::optional<std::string>;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

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
  return is_number(width) && is_number(height) ? "-W " + width + " -H " + height : "-W 512 -H 512";
}

/// An option of `command`, or the beginning of a line, with the value that was given to another word.
std::string with_value(CLI::App& command, const std::string& ours, const Value& value) {
  if (ours.starts_with("-W ")) return size_line(value);
  if (ours.starts_with('-') && ours.find(' ') != std::string::npos) return ours;
  const CLI::Option* option = ours.starts_with('-') ? find_option(command, ours) : nullptr;
  if (option != nullptr && is_flag(*option)) return ours;
  if (value) return ours + " " + core::shell_word(*value);
  return ours + " " + (option == nullptr ? "FILE" : option->get_type_name());
}

/// The commands that have an option.
std::string owners(CLI::App& app, std::string_view flag) {
  std::string text;
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    if (find_option(*command, flag) != nullptr) text += (text.empty() ? "" : ", ") + command->get_name();
  }
  return text;
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
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  for (const std::string_view quote : {"\u201c", "\u201d", "\u201e", "\u00ab", "\u00bb"}) {
    for (std::size_t at = text.find(quote); at != std::string::npos; at = text.find(quote))
      text.erase(at, quote.size());
  }
  return text.find_first_of("\"$`\\!") == std::string::npos ? '"' + text + '"' : core::shell_word(text);
}

Advice unknown_option(CLI::App& command, std::string_view flag, const Value& value) {
  const std::string word(flag);
  const std::string what = "there is no option \"" + word + "\"";
  if (const ForeignWord* foreign = find_foreign(foreign_options(), flag)) {
    const std::string ours(foreign->ours);
    const bool known = !ours.starts_with('-') || find_option(command, ours.substr(0, ours.find(' '))) != nullptr;
    const std::string note = foreign->note.empty() ? "" : ". " + std::string(foreign->note);
    if (known) return {what + note, ours.empty() ? "" : "Type: " + with_value(command, ours, value)};
  }
  if (flag.size() == 2) {
    const std::string other = other_case(flag);
    const CLI::Option* option = find_option(command, other);
    if (option != nullptr) {
      return {what + ". Did you mean " + other + " (" + option->get_description() + ")?",
              "Type: " + with_value(command, other, value)};
    }
  } else if (const std::string name = meant(word, option_names(command)); !name.empty()) {
    return {what + ". Did you mean \"" + name + "\"?",
            is_slip(word, name) ? "Type: " + with_value(command, name, value) : ""};
  }
  const std::string others = owners(*command.get_parent(), flag);
  return {others.empty() ? what : std::string(flag) + " is an option of " + others + ", not of this command", ""};
}

Advice unknown_command(CLI::App& app, Words words, bool drawn) {
  const std::string& word = words.front();
  const std::vector<std::string> names = command_names(app);
  const std::string what = "there is no command \"" + word + "\"";
  if (const ForeignWord* foreign = find_foreign(foreign_commands(), word)) {
    const std::string note = foreign->note.empty() ? "" : ". " + std::string(foreign->note);
    return {what + note, "Type: " + line_of(std::string(foreign->ours), words.subspan(1))};
  }
  const std::string there_are = "there are " + core::listed(names);
  if (const std::string name = meant(word, names); !name.empty()) {
    return {what + ". Did you mean \"" + name + "\"?", "T" + there_are.substr(1)};
  }
  if (!drawn) return {what + "; " + there_are, ""};
  std::size_t count = 0;  // of the prompt's words
  while (count < words.size() && !words[count].starts_with('-')) ++count;
  return {what + "; " + there_are,
          "To draw it: " + line_of("lapis generate " + quoted_prompt(words.first(count)), words.subspan(count))};
}

Advice leading_option(CLI::App& app, Words words) {
  const std::string& word = words.front();
  const std::string flag = word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (find_command(app, words[i]) == nullptr) continue;
    return {"the command comes first, and options such as " + flag + " behind it",
            "Type: " + line_of("lapis " + words[i], without(words, i))};
  }
  CLI::App* generate = find_command(app, "generate");
  if (generate != nullptr && find_option(*generate, flag) != nullptr) {
    return {"the command is missing before " + flag, "To draw a picture: " + line_of("lapis generate", words)};
  }
  return {"there is no option \"" + flag + "\", and no command", ""};
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
  const std::string begin = "\"" + std::string(word) + "\" begins with ";
  const std::string what =
      begin + (*dash == "-" ? "one hyphen, and a long option with two" : "a long dash, and an option with hyphens");
  if (find_option(command, flag) != nullptr) return Advice{what, "Type: " + with_value(command, flag, value)};
  if (find_foreign(foreign_options(), flag) == nullptr) return std::nullopt;
  return unknown_option(command, flag, value);
}

}  // namespace lapis::cli
