#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/checkpoint/graph_ops.hpp"
#include "core/text/sentence.hpp"
#include "io/file/text.hpp"
#include "io/graph/graph_program.hpp"

namespace lapis::io {
namespace {

// libtorch parses and compiles by recursion; what people export stays far below these.
constexpr std::size_t deepest_brackets = 100;
constexpr std::size_t deepest_indent = 200;
constexpr std::size_t longest_chain = 2000;  // operators of one statement, which may become one tree
constexpr std::size_t most_elifs = 500;      // each stands inside the one before

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

enum class TokenKind { none, word, number, text, mark };

struct Token {
  TokenKind kind = TokenKind::none;
  std::string_view text;  ///< of a string: with its quotes

  bool is(char c) const { return kind == TokenKind::mark && text.front() == c; }
  bool is(std::string_view word) const { return kind == TokenKind::word && text == word; }
};

// Words after which an expression begins; any other word ends one.
constexpr std::array<std::string_view, 9> openers = {"return", "in", "and", "or", "not", "if", "elif", "else", "while"};

/// Whether a token ends a value, so that "(" behind it is a call and "^" an operator with two sides.
bool ends_value(const Token& token) {
  switch (token.kind) {
    case TokenKind::none: return false;
    case TokenKind::number:
    case TokenKind::text: return true;
    case TokenKind::word: return std::find(openers.begin(), openers.end(), token.text) == openers.end();
    case TokenKind::mark: return token.is(')') || token.is(']') || token.is('}');
  }
  return false;
}

/// What a string literal means, escapes resolved as libtorch does. One that libtorch refuses keeps its escapes.
std::string meaning(std::string_view literal) {
  const std::string_view inside = literal.substr(1, literal.size() - 2);
  std::string text;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\' || i + 1 == inside.size()) {
      text += inside[i];
      continue;
    }
    const auto octal = [&](std::size_t at) { return at < inside.size() && inside[at] >= '0' && inside[at] <= '7'; };
    if (octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      text += static_cast<char>((inside[i + 1] - '0') * 64 + (inside[i + 2] - '0') * 8 + (inside[i + 3] - '0'));
      i += 3;
    } else {
      text += inside[++i];
    }
  }
  return text;
}

class SourceScan {
 public:
  explicit SourceScan(std::string_view text) : rest_(text) {}

  std::optional<std::string> fault() {
    begin_line();
    while (!fault_ && next()) {
      check();
      // Three tokens back are enough to know how a word is named.
      before_last_ = last_;
      last_ = token_;
      if (token_.kind != TokenKind::text) strings_.clear();
    }
    if (!fault_) check_chain_end();
    return fault_;
  }

 private:
  void fail(std::string what) {
    if (!fault_) fault_ = std::move(what);
  }

  void check_operator(std::string_view space, std::string_view name) {
    const std::string_view why = core::operator_fault(space, name);
    if (!why.empty()) fail_operator(printable(std::string(space) + "::" + std::string(name)), why);
  }

  void fail_operator(std::string_view name, std::string_view why) {
    fail(core::sentence("calls {}, which {}", name, why));
  }

  /// Measures the indent of a statement's first line and forgets the one before.
  void begin_line() {
    std::size_t indent = 0;
    while (indent < rest_.size() && is_blank(rest_[indent])) ++indent;
    if (indent == rest_.size() || rest_[indent] == '\n') return;  // nothing stands on it
    if (indent > deepest_indent) fail("is nested deeper than any that a person wrote");
    if (indent <= def_indent_) in_body_ = false;
    indent_ = indent;
    at_start_ = true;
    in_header_ = false;
    chain_ = 0;
    last_ = before_last_ = Token{};
    strings_.clear();
  }

  /// The next token into token_; false at the end.
  bool next() {
    while (!rest_.empty() && !fault_) {
      const char c = rest_.front();
      if (is_blank(c)) {
        rest_.remove_prefix(1);
      } else if (c == '\n') {
        rest_.remove_prefix(1);
        if (depth_ == 0) end_line();
      } else if (c == '#' || c == '\\') {
        fail("has a comment or a continued line, which torch.jit.save never writes");
      } else {
        take();
        return !fault_;
      }
    }
    return false;
  }

  void end_line() {
    check_chain_end();
    if (in_header_ && last_.is(':')) {
      in_body_ = true;
      def_indent_ = indent_;
    }
    begin_line();
  }

  void take() {
    const char c = rest_.front();
    std::size_t length = 1;
    TokenKind kind = TokenKind::mark;
    if (is_letter(c)) {
      kind = TokenKind::word;
      while (length < rest_.size() && (is_letter(rest_[length]) || is_digit(rest_[length]))) ++length;
    } else if (is_digit(c)) {
      kind = TokenKind::number;
      while (length < rest_.size() && (is_letter(rest_[length]) || is_digit(rest_[length]))) ++length;
    } else if (c == '"' || c == '\'') {
      kind = TokenKind::text;
      length = string_length();
    }
    token_ = {kind, rest_.substr(0, length)};
    rest_.remove_prefix(length);
  }

  /// Bytes of the string literal that begins here, with its quotes.
  std::size_t string_length() {
    const char quote = rest_.front();
    if (rest_.size() > 2 && rest_[1] == quote && rest_[2] == quote) {
      fail("has a string of three quotes, which torch.jit.save never writes");
      return 1;
    }
    for (std::size_t i = 1; i < rest_.size() && rest_[i] != '\n'; ++i) {
      if (rest_[i] == quote) return i + 1;
      if (rest_[i] == '\\') ++i;
      if (i < rest_.size() && rest_[i] == '\n') break;
    }
    fail("has a string without an end");
    return 1;
  }

  void check() {
    switch (token_.kind) {
      case TokenKind::none: return;
      case TokenKind::number: break;
      case TokenKind::word: check_word(); break;
      case TokenKind::text: check_string(); break;
      case TokenKind::mark: check_mark(); break;
    }
    if (!token_.is('.') && token_.kind != TokenKind::word) check_chain_end();
    at_start_ = false;
  }

  void check_word() {
    const std::string_view word = token_.text;
    if (at_start_) in_header_ = word == "def";
    // Values of an Enum are the one thing that libtorch's unpickler may make vanish (io/graph/graph_pickle.cpp counts
    // them).
    if (word == "Enum") fail("defines an Enum, which no network needs");
    if (word == "__setstate__") fail("defines __setstate__, which runs while a graph is loaded");
    if (last_.is('.')) {
      continue_chain(word);
      return;
    }
    check_chain_end();
    if (const std::string_view why = core::word_fault(word); !why.empty()) fail_operator(word, why);
    if (word == "torch" || word == "ops" || word == "__torch__") names_ = {word};
    if (word == "elif" && ++elifs_ > most_elifs) fail("is nested deeper than any that a person wrote");
    if (word == "not" || word == "and" || word == "or" || word == "if") grow_chain();
  }

  /// `word` stands behind a dot: a method or attribute of whatever stands before, or a step of a name that is followed.
  void continue_chain(std::string_view word) {
    if (core::reaches_files(word)) check_operator("aten", word);
    if (names_.empty()) return;
    names_.push_back(word);
    if (names_.front() == "torch" || (names_.front() == "ops" && names_.size() == 3)) {
      check_operator(names_.front() == "torch" ? "aten" : names_[1], word);
      names_.clear();
      return;
    }
    if (names_.size() == 3 && names_[1] == "torch" && names_[2] == "classes") {
      fail("uses torch.classes, which are written in C++ and not in TorchScript");
    }
  }

  /// A name that is followed must not end half way: "o = ops" would hide what comes behind it elsewhere.
  void check_chain_end() {
    if (names_.empty()) return;
    const bool whole =
        names_.front() == "__torch__" && names_.size() > 1 && !(names_.size() == 2 && names_[1] == "torch");
    if (!whole) fail(core::sentence("names {} without saying what of it", names_.front()));
    names_.clear();
  }

  void check_string() {
    strings_ += meaning(token_.text);                                     // adjacent literals are one
    if (core::reaches_files(strings_)) check_operator("aten", strings_);  // getattr(x, "save")
    if (strings_.find("classes") != std::string::npos && strings_.find("__torch__") != std::string::npos) {
      fail("uses torch.classes, which are written in C++ and not in TorchScript");
    }
  }

  void check_mark() {
    switch (token_.text.front()) {
      case '(':
        if (ends_value(last_)) check_call();
        open();
        break;
      case '[':
      case '{': open(); break;
      case ')':
      case ']':
      case '}':
        if (depth_ > 0) --depth_;
        break;
      case ',':
        if (depth_ > 0) chain_ = 0;  // elements stand beside each other, not below
        break;
      case '^':
        if (!ends_value(last_)) fail("calls a function of Python (^)");
        break;
      case '=':
      case ':': break;
      default: grow_chain();
    }
  }

  void grow_chain() {
    if (++chain_ > longest_chain) fail("has a statement longer than libtorch's parser should be given");
  }

  void open() {
    if (++depth_ > deepest_brackets) fail("is nested deeper than any that a person wrote");
  }

  /// What stands in a header or beside a class's names is computed while the graph is loaded.
  void check_call() {
    const bool names_definition = (before_last_.is("def") || before_last_.is("class")) && depth_ == 0;
    if (names_definition || (in_body_ && !in_header_)) return;
    fail("calls something outside of a function's body, which runs while a graph is loaded");
  }

  std::string_view rest_;
  std::optional<std::string> fault_;
  Token token_;
  Token last_;
  Token before_last_;
  std::vector<std::string_view> names_;  ///< of a dotted name that begins with "torch", "ops" or "__torch__"
  std::string strings_;                  ///< what the string literals that stand side by side mean together
  std::size_t depth_ = 0;                ///< open brackets
  std::size_t chain_ = 0;                ///< operators of this statement
  std::size_t elifs_ = 0;
  std::size_t indent_ = 0;
  std::size_t def_indent_ = 0;
  bool at_start_ = true;
  bool in_header_ = false;
  bool in_body_ = false;
};

}  // namespace

std::optional<std::string> source_fault(std::string_view text) { return SourceScan(text).fault(); }

}  // namespace lapis::io
