#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/advice.hpp"
#include "cli/declared.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

/// Refuses a line of the program itself, or of the command that is named.
[[noreturn]] void refuse(const Advice& advice, const std::string& command) {
  const std::string help = core::sentence("Try: lapis {}--help", command.empty() ? "" : command + " ");
  throw Error(ErrorKind::usage, advice.what, (advice.type.empty() ? help : advice.type));
}

bool asks_version(std::string_view flag) { return flag == "--version" || flag == "-V"; }

void declare_all(CLI::App& app, const Declare& declare) {
  for (CLI::App* command : commands_of(app)) declare(*command);
}

/// Reads the words of one command.
class Reader {
 public:
  Reader(CLI::App& command, Words words, const Declare& declare)
      : command_(command), words_(words), declare_(declare) {}

  Arguments::Kind read() {
    while (at_ < words_.size() && kind_ == Arguments::Kind::run) read_word(words_[at_++]);
    if (kind_ != Arguments::Kind::run) return kind_;
    take_positionals();
    check_required();
    if (problem_) refuse(*problem_, command_.get_name());
    run_callbacks();
    return kind_;
  }

 private:
  std::string name() const { return "lapis " + command_.get_name(); }

  /// Keeps the first problem: --help behind it is answered all the same.
  void fail(Advice advice) {
    if (!problem_) problem_ = std::move(advice);
  }

  void read_word(const std::string& word) {
    if (ended_ || !word.starts_with('-') || word == "-") {
      if (const auto advice = ended_ ? std::nullopt : lost(word)) fail(*advice);
      positionals_.push_back(word);
      places_.push_back(at_ - 1);
    } else if (word == "--") {
      ended_ = true;
    } else if (word.starts_with("--")) {
      const std::size_t equals = word.find('=');
      read_option(word.substr(0, equals), equals == std::string::npos ? Value() : word.substr(equals + 1));
    } else {
      read_short(word);
    }
  }

  /// "-n", "-nVALUE", "-n=VALUE", or some flags together.
  void read_short(const std::string& word) {
    if (const auto advice = lost(word)) return fail(*advice);
    for (std::size_t i = 1; i < word.size() && kind_ == Arguments::Kind::run; ++i) {
      const std::string flag = {'-', word[i]};
      const std::string rest = word.substr(i + 1);
      const CLI::Option* option = find_option(command_, flag);
      const bool more_flags = option != nullptr && is_flag(*option) && !rest.empty() && !is_number(rest);
      if (more_flags && !rest.starts_with('=')) {
        read_option(flag, std::nullopt);
        continue;
      }
      if (option == nullptr && !asks_version(flag)) return unknown(rest.empty() ? flag : word, std::nullopt);
      return read_option(flag, rest.empty() ? Value() : rest.starts_with('=') ? rest.substr(1) : rest);
    }
  }

  void read_option(const std::string& flag, const Value& value) {
    CLI::Option* option = find_option(command_, flag);
    if (option == nullptr && asks_version(flag)) {
      kind_ = Arguments::Kind::version;
    } else if (option == nullptr) {
      unknown(flag, value);
    } else if (option == command_.get_help_ptr()) {
      help(flag, value);
    } else if (is_flag(*option)) {
      if (value) {
        return fail({core::sentence("{} takes no value; found \"{}\"", flag, *value),
                     core::sentence("Leave it out: {}", flag)});
      }
      add(*option, option->get_flag_value(flag.substr(flag.find_first_not_of('-')), ""));
    } else if (!value && option->get_items_expected_min() == 0) {
      option->add_result("");
      take_words(*option);
    } else if (const Value found = value ? value : next_value(*option, flag)) {
      add(*option, *found);
      if (!value && option->get_items_expected_max() > 1) take_words(*option);
    }
  }

  /// `lost_hyphens`, which may tell whose an option is.
  std::optional<Advice> lost(const std::string& word) const {
    if (!lost_hyphens(command_, word, apparent_value())) return std::nullopt;
    declare_all(*command_.get_parent(), declare_);
    return lost_hyphens(command_, word, apparent_value());
  }

  void unknown(const std::string& flag, const Value& value) {
    declare_all(*command_.get_parent(), declare_);
    fail(unknown_option(command_, flag, value ? value : apparent_value()));
  }

  /// Help, but for a number behind -h, which elsewhere is the height.
  void help(const std::string& flag, const Value& value) {
    const std::string number = value ? *value : apparent_value().value_or("");
    if (flag == "-h" && is_number(number) && find_option(command_, "-H") != nullptr) {
      return fail({"-h shows the help, and takes no number; the height is -H", core::sentence("Type: -H {}", number)});
    }
    kind_ = Arguments::Kind::help;
  }

  /// The word that comes next, where it looks like a value.
  Value apparent_value() const {
    if (at_ < words_.size() && !words_[at_].starts_with('-')) return words_[at_];
    return std::nullopt;
  }

  /// Takes the word behind an option, unless that is an option of the command itself.
  Value next_value(const CLI::Option& option, const std::string& flag) {
    const std::string lacks = core::sentence("{} lacks its value, {}", flag, option.get_type_name());
    if (at_ == words_.size()) {
      fail({core::sentence("{} ({})", lacks, option.get_description()), ""});
      return std::nullopt;
    }
    const std::string& next = words_[at_];
    if (next.starts_with('-') && (next == "--" || find_option(command_, next.substr(0, next.find('='))) != nullptr)) {
      fail({core::sentence("{}, and {} follows", lacks, next),
            core::sentence("If that is the value: {}", core::shell_word(flag + "=" + next))});
      return std::nullopt;
    }
    ++at_;
    return next;
  }

  /// All words behind an option that takes several, as far as they look like values.
  void take_words(CLI::Option& option) {
    for (Value word = apparent_value(); word; word = apparent_value()) {
      ++at_;
      add(option, *word);
    }
  }

  void add(CLI::Option& option, const std::string& value) {
    option.allow_extra_args(false);  // else CLI11 takes "[a,b]" apart
    if (value.empty() && !is_flag(option) && option.get_type_name() != "TEXT") {
      return fail({core::sentence("{} is empty; expected {}", shown(option), option.get_type_name()),
                   "Leave it out, or give it a value"});
    }
    if (!is_flag(option) && !is_list(option) && option.count() > 0) {
      return fail(
          {core::sentence("{} is given twice: \"{}\" and \"{}\"", shown(option), option.results().front(), value),
           "Give it once"});
    }
    option.add_result(value);
  }

  /// Each declared positional takes one word, a list all that are left.
  void take_positionals() {
    std::size_t taken = 0;
    for (CLI::Option* option : command_.get_options()) {
      if (!option->get_positional()) continue;
      const std::size_t left = positionals_.size() - taken;
      const std::size_t count = is_list(*option) ? left : std::min<std::size_t>(left, 1);
      for (std::size_t i = 0; i < count; ++i) add(*option, positionals_[taken++]);
    }
    if (taken < positionals_.size()) too_many(taken);
  }

  void too_many(std::size_t taken) {
    if (taken == 0) {
      return fail({core::sentence("{} takes no words, and \"{}\" is one", name(), positionals_.front()), ""});
    }
    const std::string quoted = core::sentence("{} {}", name(), quoted_prompt(positionals_));
    const CLI::Option* prompt = find_option(command_, "--prompt");
    if (prompt != nullptr && prompt->get_positional()) {
      return fail({core::sentence("the prompt is {} words to the shell; quotes make it one", positionals_.size()),
                   core::sentence("Type: {}", line_of(quoted, options_as_typed()))});
    }
    fail({core::sentence("{} takes one {}, and found {}", name(), first_type(), core::listed(positionals_)),
          core::sentence("A name with blanks in it wants quotes: {}", quoted)});
  }

  std::string first_type() const {
    for (const CLI::Option* option : command_.get_options()) {
      if (option->get_positional()) return option->get_type_name();
    }
    return "word";
  }

  std::vector<std::string> options_as_typed() const {
    std::vector<std::string> rest;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const bool positional = std::find(places_.begin(), places_.end(), i) != places_.end();
      if (!positional && words_[i] != "--") rest.push_back(words_[i]);
    }
    return rest;
  }

  void check_required() {
    const std::string example = first_example(command_);
    for (const CLI::Option* option : command_.get_options()) {
      if (!option->get_required() || option->count() > 0) continue;
      const std::string flag = option->get_positional() ? "" : shown(*option) + " ";
      fail({core::sentence("{} needs {}{}: {}", name(), flag, option->get_type_name(), option->get_description()),
            example.empty() ? "" : core::sentence("As in: {}", example)});
    }
  }

  void run_callbacks() {
    for (CLI::Option* option : command_.get_options()) {
      if (option->count() == 0) continue;
      try {
        option->run_callback();
      } catch (const CLI::ParseError&) {  // of an option whose variable is no text
        refuse({core::sentence("{} is \"{}\"; expected a whole number", shown(*option), option->results().front()), ""},
               command_.get_name());
      }
    }
  }

  CLI::App& command_;
  Words words_;
  const Declare& declare_;
  std::size_t at_ = 0;
  bool ended_ = false;  ///< by "--"
  std::vector<std::string> positionals_;
  std::vector<std::size_t> places_;  ///< of these among the words
  std::optional<Advice> problem_;
  Arguments::Kind kind_ = Arguments::Kind::run;
};

}  // namespace

Arguments read_arguments(CLI::App& app, const std::vector<std::string>& words, const Declare& declare) {
  Words rest = words;
  const bool helps = !rest.empty() && rest.front() == "help";
  if (helps) rest = rest.subspan(1);
  if (rest.empty()) return {Arguments::Kind::help, nullptr};
  const std::string& first = rest.front();
  if (first == "-h" || first == "--help") return {Arguments::Kind::help, nullptr};
  if (asks_version(first)) return {Arguments::Kind::version, nullptr};
  if (first.size() > 1 && first.starts_with('-')) {
    declare_all(app, declare);
    refuse(leading_option(app, rest), "");
  }
  CLI::App* command = find_command(app, first);
  if (command == nullptr) refuse(unknown_command(app, rest, !helps), "");
  declare(*command);
  if (helps) return {Arguments::Kind::help, command};
  return {Reader(*command, rest.subspan(1), declare).read(), command};
}

}  // namespace lapis::cli
