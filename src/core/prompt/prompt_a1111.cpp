#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "core/prompt/prompt_brackets.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr double round_weight = 1.1;
constexpr double square_weight = 1 / 1.1;
constexpr std::string_view specials = "\\()[]:|<";

bool is_word_byte(char c) {
  const bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  return ascii || static_cast<unsigned char>(c) >= 0x80;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(prompt_blanks, at), text.size());
}

/// The offset behind a run of sign, digits and points at `at`; `at` where there are no digits or points.
std::size_t number_end(std::string_view text, std::size_t at) {
  const std::size_t digits = at + (at < text.size() && (text[at] == '+' || text[at] == '-') ? 1 : 0);
  const std::size_t end = std::min(text.find_first_not_of(".0123456789", digits), text.size());
  return end == digits ? at : end;
}

/// ":", blanks, a number, blanks, `close`.
std::size_t number_then(std::string_view text, std::size_t colon, char close) {
  const std::size_t begin = skip_blanks(text, colon + 1);
  const std::size_t end = number_end(text, begin);
  const std::size_t last = skip_blanks(text, end);
  return end > begin && last < text.size() && text[last] == close ? last + 1 : 0;
}

std::optional<double> number_of(std::string_view text, std::size_t colon) {
  std::size_t begin = skip_blanks(text, colon + 1);
  const std::size_t end = number_end(text, begin);
  if (text[begin] == '+') ++begin;
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data() + begin, text.data() + end, value, std::chars_format::fixed);
  if (code != std::errc() || stop != text.data() + end) return std::nullopt;
  return value;
}

/// The offset of `word` standing alone in `text`, from `at` on.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t at) {
  for (std::size_t found = text.find(word, at); found != std::string_view::npos; found = text.find(word, found + 1)) {
    const std::size_t end = found + word.size();
    if ((found == 0 || !is_word_byte(text[found - 1])) && (end == text.size() || !is_word_byte(text[end])))
      return found;
  }
  return std::string_view::npos;
}

/// Brackets open and close independently of the other kind, as in the web UI: "(a [b) c]" is no mistake there.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), warnings_(text) {}

  ParsedPrompt read() {
    while (at_ < text_.size()) step();
    close_rest();
    return {merged(), warnings_.take(), std::move(loras_)};
  }

 private:
  struct Piece {
    std::string text;
    double weight = 1;
    bool breaks = false;
  };
  struct Open {
    char bracket;
    std::size_t offset;
    std::size_t first;  ///< piece behind it
  };

  void step() {
    switch (text_[at_]) {
      case '\\': return escape();
      case '(':
      case '[': return open(text_[at_]);
      case ')': return close('(', round_weight, at_ + 1);
      case ']': return close('[', square_weight, at_ + 1);
      case ':': return colon();
      case '|': return bar();
      case '<': return angle();
      default: return run();
    }
  }

  void escape() {
    const bool known = at_ + 1 < text_.size() && std::string_view("()[]\\").find(text_[at_ + 1]) != std::string::npos;
    if (known) {
      pieces_.push_back({std::string(1, text_[at_ + 1])});
    } else {
      warn(at_, "a lone \\ is dropped; write \\\\ for the character");
    }
    at_ += known ? 2 : 1;
  }

  void open(char bracket) {
    if (open_.size() == deepest_brackets) {
      refuse(at_, sentence("more than {} brackets are open; close some before it", deepest_brackets));
    }
    open_.push_back({bracket, at_, pieces_.size()});
    ++at_;
  }

  void close(char bracket, double weight, std::size_t end) {
    const auto last =
        std::find_if(open_.rbegin(), open_.rend(), [&](const Open& open) { return open.bracket == bracket; });
    if (last == open_.rend()) {
      warn(at_, sentence("nothing is open for this {}; it is read as text. Write \\{} for the character",
                         text_[end - 1], text_[end - 1]));
      pieces_.push_back({std::string(text_.substr(at_, end - at_))});
    } else {
      weigh(last->first, weight);
      open_.erase(std::next(last).base());
    }
    at_ = end;
  }

  void weigh(std::size_t first, double weight) {
    for (std::size_t i = first; i < pieces_.size(); ++i) pieces_[i].weight *= weight;
  }

  bool is_open(char bracket) const {
    return std::any_of(open_.begin(), open_.end(), [&](const Open& open) { return open.bracket == bracket; });
  }

  void colon() {
    if (!open_.empty() && open_.back().bracket == '[' && number_then(text_, at_, ']') != 0) {
      refuse(open_.back().offset,
             "[from:to:when] changes the prompt between steps, which lapis does not. Write one prompt, or \\[ for the "
             "character");
    }
    const std::size_t end = number_then(text_, at_, ')');
    const std::optional<double> weight = end == 0 ? std::nullopt : number_of(text_, at_);
    if (weight) return close('(', *weight, end);
    if (is_open('(') && looks_like_weight()) {
      warn(at_, "this weight cannot be read, and the brackets count as 1.1; write it as in (word:1.3)");
    }
    pieces_.push_back({":"});
    ++at_;
  }

  /// Digits, points and commas up to a ")".
  bool looks_like_weight() const {
    const std::size_t begin = skip_blanks(text_, at_ + 1);
    const std::size_t end = std::min(text_.find_first_not_of("+-.,0123456789%", begin), text_.size());
    const std::size_t last = skip_blanks(text_, end);
    return end > begin && last < text_.size() && text_[last] == ')';
  }

  void bar() {
    if (!open_.empty() && open_.back().bracket == '[') {
      refuse(
          open_.back().offset,
          "[a|b] changes the prompt at every step, which lapis does not. Write one prompt, or \\[ for the character");
    }
    pieces_.push_back({"|"});
    ++at_;
  }

  /// <lora:name:1> and its like name a network, not words: the web UI takes them out of the prompt.
  void angle() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_word_byte(text_[end])) ++end;
    const std::size_t close = text_.find('>', end);
    const bool network = end > at_ + 1 && end < text_.size() && text_[end] == ':' && close != std::string_view::npos;
    if (!network) {
      pieces_.push_back({"<"});
      ++at_;
      return;
    }
    const std::string name(text_.substr(at_ + 1, end - at_ - 1));
    if (name == "lora" || name == "lyco") {
      call_lora(text_.substr(end + 1, close - end - 1));
    } else {
      warn(at_, sentence("<{}:...> is left out: of extra networks, lapis applies <lora:name:weight> alone", name));
    }
    at_ = close + 1;
  }

  void call_lora(std::string_view inside) {
    try {
      loras_.push_back(parse_lora_tag(inside));
    } catch (const Error& error) {
      refuse(at_, error.marked_problem());
    }
  }

  void run() {
    const std::size_t end = std::min(text_.find_first_of(specials, at_), text_.size());
    const std::string_view whole = text_.substr(at_, end - at_);
    const std::size_t both = find_word(whole, "AND", 0);
    if (both != std::string_view::npos) {
      refuse(at_ + both, "AND joins several prompts, which lapis does not. Write one prompt, or \"and\" for the word");
    }
    std::size_t begin = 0;
    for (std::size_t found = find_word(whole, "BREAK", 0); found != std::string_view::npos;
         found = find_word(whole, "BREAK", begin)) {
      append_text(whole.substr(begin, found - begin));
      if (!open_.empty()) {
        warn(at_ + found, "BREAK within brackets ends a chunk; the web UI reads it as a word there");
      }
      pieces_.push_back({"", 1, true});
      begin = found + 5;
    }
    append_text(whole.substr(begin));
    at_ = end;
  }

  void append_text(std::string_view text) {
    if (!text.empty()) pieces_.push_back({std::string(text)});
  }

  void close_rest() {
    for (const Open& open : open_) {
      warn(open.offset, sentence("{} is not closed, and counts up to the end; write \\{} for the character",
                                 open.bracket, open.bracket));
      weigh(open.first, open.bracket == '(' ? round_weight : square_weight);
    }
  }

  /// Neighbours of one weight are one text: a word may go on behind a bracket that changed nothing.
  std::vector<PromptSegment> merged() const {
    std::vector<PromptSegment> segments;
    std::optional<double> last;
    bool breaks = false;
    for (const Piece& piece : pieces_) {
      if (piece.breaks) {
        // Two in a row leave an empty chunk between them.
        if (breaks || segments.empty()) segments.push_back({"", 1, breaks});
        breaks = true;
        last.reset();
        continue;
      }
      if (last == piece.weight && !breaks) {
        segments.back().text += piece.text;
      } else {
        segments.push_back({piece.text, static_cast<float>(piece.weight), breaks});
      }
      last = piece.weight;
      breaks = false;
    }
    if (breaks || segments.empty()) segments.push_back({"", 1, breaks});
    return segments;
  }

  void warn(std::size_t offset, const std::string& text) { warnings_.add(offset, text); }

  [[noreturn]] void refuse(std::size_t offset, const std::string& text) const {
    throw Error(ErrorKind::usage, sentence("{}: {}", place_text(text_, offset), text));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Piece> pieces_;
  std::vector<Open> open_;
  PromptWarnings warnings_;
  std::vector<LoraCall> loras_;
};

}  // namespace

std::size_t weight_end(std::string_view text, std::size_t colon) { return number_then(text, colon, ')'); }

ParsedPrompt parse_a1111(std::string_view text) { return Reader(text).read(); }

}  // namespace lapis::core
