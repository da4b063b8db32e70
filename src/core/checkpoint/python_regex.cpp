#include "core/checkpoint/python_regex.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

using Bytes = std::bitset<256>;

constexpr std::string_view python_digits = "0123456789";
constexpr std::string_view python_blanks = " \t\n\r\f\v";
constexpr std::size_t unbounded = static_cast<std::size_t>(-1);

[[noreturn]] void refuse_pattern(const std::string& clause) { throw Error(ErrorKind::input, clause); }

unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_' || byte_of(c) >= 0x80; }

Bytes set_of(std::string_view characters) {
  Bytes set;
  for (const char c : characters) set.set(byte_of(c));
  return set;
}

/// What \d, \w and \s stand for, and \D, \W and \S; none for other letters.
std::optional<Bytes> class_of(char letter) {
  Bytes set;
  switch (letter) {
    case 'd':
    case 'D': set = set_of(python_digits); break;
    case 's':
    case 'S': set = set_of(python_blanks); break;
    case 'w':
    case 'W':
      for (int c = 0; c < 256; ++c) set[static_cast<std::size_t>(c)] = is_word(static_cast<char>(c));
      break;
    default: return std::nullopt;
  }
  return letter >= 'a' ? set : ~set;
}

/// What \n and its like stand for; any other letter or digit means more than itself.
std::optional<char> escaped(char c) {
  constexpr std::string_view letters = "abfnrtv";
  constexpr std::string_view meant = "\a\b\f\n\r\t\v";
  const std::size_t at = letters.find(c);
  if (at != std::string_view::npos) return meant[at];
  return is_letter(c) || is_digit(c) ? std::nullopt : std::optional(c);
}

}  // namespace

/// Recursive descent over the expression, which writes states as it goes.
class RegexCompiler {
 public:
  RegexCompiler(std::string_view text, PythonRegex& regex) : text_(text), regex_(regex) {}

  void compile() {
    alternatives(0);
    if (!done()) refuse_pattern("has a \")\" too many");
    write(Op::found);
  }

 private:
  using Op = PythonRegex::Op;
  using State = PythonRegex::State;

  bool done() const { return at_ == text_.size(); }
  bool next_is(char c) const { return !done() && text_[at_] == c; }
  bool take(char c) {
    const bool there = next_is(c);
    at_ += there ? 1 : 0;
    return there;
  }

  char next(const char* lacking) {
    if (done()) refuse_pattern(lacking);
    return text_[at_++];
  }

  std::size_t write(Op op, std::size_t first = 0, std::size_t second = 0) {
    if (regex_.states_.size() >= PythonRegex::longest)
      refuse_pattern("is too long when its repetitions are written out");
    regex_.states_.push_back({op, first, second});
    return regex_.states_.size() - 1;
  }

  std::size_t here() const { return regex_.states_.size(); }

  void write_set(const Bytes& set) {
    regex_.sets_.push_back(set);
    write(Op::bytes, regex_.sets_.size() - 1);
  }

  /// one|other|...: a split before all but the last, a jump behind each of them.
  void alternatives(int depth) {
    if (depth > PythonRegex::deepest) refuse_pattern("has too many groups in one another");
    std::vector<std::size_t> ends;
    std::size_t begin = here();
    sequence(depth);
    while (take('|')) {
      insert(begin, {Op::split, begin + 1, 0});
      ends.push_back(write(Op::jump));
      regex_.states_[begin].second = here();
      begin = here();
      sequence(depth);
    }
    for (const std::size_t end : ends) regex_.states_[end].first = here();
  }

  /// Puts a state before those from `place` on, whose ways move with them.
  void insert(std::size_t place, const State& state) {
    write(Op::found);  // counts it
    auto& states = regex_.states_;
    states.pop_back();
    for (std::size_t i = place; i < states.size(); ++i) {
      if (states[i].op != Op::split && states[i].op != Op::jump) continue;
      states[i].first += states[i].first >= place ? 1 : 0;
      states[i].second += states[i].second >= place ? 1 : 0;
    }
    states.insert(states.begin() + static_cast<std::ptrdiff_t>(place), state);
  }

  void sequence(int depth) {
    while (!done() && !next_is('|') && !next_is(')')) {
      const std::size_t begin = here();
      const bool repeatable = item(depth);
      const std::optional<std::pair<std::size_t, std::size_t>> times = repetition();
      if (!times) continue;
      if (!repeatable) refuse_pattern("repeats what cannot be repeated");
      repeat(begin, *times);
      if (next_is('+')) refuse_pattern("has a possessive repetition, which lapis does not read");
      take('?');  // lazy: which way is tried first does not change whether one matches
      if (repetition()) refuse_pattern("repeats a repetition");
    }
  }

  /// {least, most} of `*`, `+`, `?` and `{...}`; braces that hold no numbers are literals.
  std::optional<std::pair<std::size_t, std::size_t>> repetition() {
    if (take('*')) return std::pair(std::size_t{0}, unbounded);
    if (take('+')) return std::pair(std::size_t{1}, unbounded);
    if (take('?')) return std::pair(std::size_t{0}, std::size_t{1});
    const std::size_t before = at_;
    if (!take('{')) return std::nullopt;
    const std::optional<std::size_t> least = number();
    const bool range = take(',');
    const std::optional<std::size_t> most = range ? number() : least;
    if (!take('}') || (!least && !range)) {
      at_ = before;
      return std::nullopt;
    }
    if (most && *most < least.value_or(0)) refuse_pattern("has a repetition whose least is above its most");
    return std::pair(least.value_or(0), most.value_or(unbounded));
  }

  std::optional<std::size_t> number() {
    std::size_t value = 0;
    const std::size_t begin = at_;
    for (; !done() && is_digit(text_[at_]); ++at_) {
      value = std::min<std::size_t>(value * 10 + static_cast<std::size_t>(text_[at_] - '0'), PythonRegex::longest);
    }
    return at_ == begin ? std::nullopt : std::optional(value);
  }

  void repeat(std::size_t begin, std::pair<std::size_t, std::size_t> times) {
    const std::vector<State> piece(regex_.states_.begin() + static_cast<std::ptrdiff_t>(begin), regex_.states_.end());
    regex_.states_.resize(begin);
    const auto [least, most] = times;
    std::size_t last = begin;
    for (std::size_t i = 0; i < least; ++i) last = append(piece, begin);
    if (most == unbounded && least > 0) {
      write(Op::split, last, here() + 1);
    } else if (most == unbounded) {
      const std::size_t split = write(Op::split, here() + 1);
      append(piece, begin);
      write(Op::jump, split);
      regex_.states_[split].second = here();
    }
    if (most == unbounded) return;
    std::vector<std::size_t> splits;
    for (std::size_t i = least; i < most; ++i) {
      splits.push_back(write(Op::split, here() + 1));
      append(piece, begin);
    }
    for (const std::size_t split : splits) regex_.states_[split].second = here();
  }

  /// A copy of states that began at `from`; returns where it begins.
  std::size_t append(const std::vector<State>& piece, std::size_t from) {
    const std::size_t begin = here();
    for (const State& state : piece) {
      const bool leads = state.op == Op::split || state.op == Op::jump;
      write(state.op, leads ? state.first - from + begin : state.first, leads ? state.second - from + begin : 0);
    }
    return begin;
  }

  /// One character, set, group or place; false for a place, which Python repeats only in a group.
  bool item(int depth) {
    switch (const char c = text_[at_++]) {
      case '(': group(depth); return true;
      case '[': set(); return true;
      case '.': write_set(~set_of("\n")); return true;
      case '^': write(Op::start); return false;
      case '$': write(Op::end); return false;
      case '\\': return escape();
      case '*':
      case '+':
      case '?':
      case '{':
        --at_;
        if (repetition()) refuse_pattern("repeats nothing");
        ++at_;
        [[fallthrough]];
      default: write_set(set_of({&c, 1})); return true;
    }
  }

  void group(int depth) {
    if (take('?')) {
      const bool named = take('P');
      if (named ? !take('<') : !take(':')) refuse_pattern("has a group of a kind that lapis does not read");
      if (named) name();
    }
    alternatives(depth + 1);
    if (!take(')')) refuse_pattern("lacks a \")\"");
  }

  /// A group's, up to the ">" behind it.
  void name() {
    const std::size_t begin = at_;
    while (!done() && is_word(text_[at_])) ++at_;
    const bool sound = at_ > begin && !is_digit(text_[begin]);
    if (!sound || !take('>')) refuse_pattern("has a group whose name is none");
  }

  bool escape() {
    const char c = next("ends in a backslash");
    const auto place = [&](Op op) {
      write(op);
      return false;
    };
    switch (c) {
      case 'A': return place(Op::start);
      case 'Z': return place(Op::last);
      case 'b': return place(Op::word_edge);
      case 'B': return place(Op::no_word_edge);
      default: break;
    }
    write_set(escaped_set(c));
    return true;
  }

  static Bytes escaped_set(char c) {
    if (const std::optional<Bytes> set = class_of(c)) return *set;
    const std::optional<char> literal = escaped(c);
    if (!literal) refuse_pattern(sentence("has the escape \\{}, which lapis does not read", c));
    return set_of({&*literal, 1});
  }

  /// What follows "[".
  void set() {
    constexpr const char* lacking = "lacks a \"]\"";
    const bool negated = take('^');
    Bytes all;
    for (bool first = true; first || !next_is(']'); first = false) {
      const char c = next(lacking);
      const Bytes low = c == '\\' ? escaped_set(next(lacking)) : set_of({&c, 1});
      const bool range = next_is('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (!range) {
        all |= low;
        continue;
      }
      ++at_;
      const char d = next(lacking);
      add_range(all, low, d == '\\' ? escaped_set(next(lacking)) : set_of({&d, 1}));
    }
    ++at_;
    write_set(negated ? ~all : all);
  }

  static void add_range(Bytes& all, const Bytes& low, const Bytes& high) {
    const auto one = [](const Bytes& set) -> std::size_t {
      if (set.count() != 1) refuse_pattern("has a range that ends in a class");
      std::size_t at = 0;
      while (!set[at]) ++at;
      return at;
    };
    const std::size_t first = one(low);
    const std::size_t last = one(high);
    if (first > last) refuse_pattern("has a range whose beginning is above its end");
    for (std::size_t at = first; at <= last; ++at) all.set(at);
  }

  std::string_view text_;
  PythonRegex& regex_;
  std::size_t at_ = 0;
};

PythonRegex::PythonRegex(std::string_view expression) { RegexCompiler(expression, *this).compile(); }

bool PythonRegex::passes(Op op, std::string_view text, std::size_t at) const {
  const bool before = at > 0 && is_word(text[at - 1]);
  const bool after = at < text.size() && is_word(text[at]);
  if (op == Op::start) return at == 0;
  if (op == Op::end) return at == text.size() || (at + 1 == text.size() && text[at] == '\n');
  if (op == Op::last) return at == text.size();
  if (op == Op::word_edge) return before != after;
  return before == after && !text.empty();
}

void PythonRegex::take_steps(std::uint64_t& steps, std::uint64_t count) {
  if (steps < count) refuse_pattern("takes too long to match");
  steps -= count;
}

bool PythonRegex::matches(std::string_view text, std::uint64_t& steps) const {
  constexpr std::uint64_t states_a_step = 16;  // of the table of states that is begun with
  take_steps(steps, states_.size() / states_a_step);
  std::vector<std::size_t> now;
  std::vector<std::size_t> waiting = {0};  // states to follow at this place
  std::vector<std::size_t> seen(states_.size(), unbounded);
  for (std::size_t at = 0;; ++at) {
    now.clear();
    while (!waiting.empty()) {
      const std::size_t i = waiting.back();
      waiting.pop_back();
      if (seen[i] == at) continue;
      seen[i] = at;
      take_steps(steps, 1);
      const State& state = states_[i];
      if (state.op == Op::found) return true;
      if (state.op == Op::bytes) {
        now.push_back(i);
      } else if (state.op == Op::split || state.op == Op::jump) {
        waiting.push_back(state.first);
        if (state.op == Op::split) waiting.push_back(state.second);
      } else if (passes(state.op, text, at)) {
        waiting.push_back(i + 1);
      }
    }
    if (now.empty() || at == text.size()) return false;
    for (const std::size_t i : now) {
      if (sets_[states_[i].first][byte_of(text[at])]) waiting.push_back(i + 1);
    }
  }
}

}  // namespace lapis::core
