#include "core/prompt/clip_tokenizer.hpp"

#include <algorithm>
#include <optional>
#include <queue>
#include <unicode/unistr.h>

#include "core/prompt/clip_pieces.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view end_of_word = "</w>";

/// The visible character that stands for each byte in a byte-level vocabulary (`bytes_to_unicode` of GPT-2, Radford et
/// al. 2019): printable Latin-1 stands for itself, the rest takes the code points from U+0100 on.
std::array<std::string, 256> visible_bytes() {
  std::array<std::string, 256> visible;
  UChar32 next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const UChar32 c = printable ? byte : next++;
    icu::UnicodeString(c).toUTF8String(visible[static_cast<std::size_t>(byte)]);
  }
  return visible;
}

std::uint64_t pair_key(int left, int right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) | static_cast<std::uint32_t>(right);
}

[[noreturn]] void refuse_merge(std::size_t line_number, std::string_view line, const std::string& reason) {
  throw Error(ErrorKind::model,
              sentence("merges.txt, line {} (\"{}\"): {}; export the tokenizer again", line_number, line, reason));
}

int find_token(const Vocabulary& vocabulary, const std::string& token, std::size_t line_number, std::string_view line) {
  const auto found = vocabulary.find(token);
  if (found == vocabulary.end()) refuse_merge(line_number, line, sentence("\"{}\" is not in the vocabulary", token));
  return found->second;
}

/// One symbol of a piece while its pairs are merged: a list threaded through a vector by index.
struct Symbol {
  int id;
  std::size_t begin;
  std::size_t end;  ///< begin where the symbol was merged away
  std::optional<std::size_t> previous;
  std::optional<std::size_t> next;
};

/// A pair that can be merged. The lowest rank comes first, then the leftmost.
struct MergeCandidate {
  std::uint32_t rank;
  std::size_t left;
  int left_id;
  int right_id;
  int merged_id;

  bool operator>(const MergeCandidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

}  // namespace

std::string decoded(std::span<const PromptToken> tokens) {
  std::string bytes;
  for (const PromptToken& token : tokens) bytes += token.text;
  std::string text;
  icu::UnicodeString::fromUTF8(bytes).toUTF8String(text);
  constexpr std::string_view blanks = " \x1C\x1D\x1E\x1F";  // U+001C to U+001F are blanks to Python alone
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

ClipTokenizer::ClipTokenizer(const Vocabulary& vocabulary, std::string_view merges, const TokenizerFacts& facts)
    : facts_(facts) {
  if (facts.length < 3) {
    throw Error(ErrorKind::model,
                sentence("the tokenizer's length is {}; start, one token and end need at least 3", facts.length));
  }
  read_specials(vocabulary);
  read_bytes(vocabulary);
  read_merges(vocabulary, merges);
}

void ClipTokenizer::read_specials(const Vocabulary& vocabulary) {
  const std::array<int, 3> ids = {facts_.start, facts_.end, facts_.pad};
  for (const auto& [text, id] : vocabulary) {
    if (!text.empty() && std::find(ids.begin(), ids.end(), id) != ids.end()) specials_.push_back({text, id});
  }
  for (const int wanted : ids) {
    const bool found = std::any_of(specials_.begin(), specials_.end(),
                                   [wanted](const Special& special) { return special.id == wanted; });
    if (found) continue;
    throw Error(ErrorKind::model, sentence("the tokenizer's special id {} is not in its vocabulary of {} tokens",
                                           wanted, vocabulary.size()));
  }
  // The longest text of those that begin at one place wins, whatever order the vocabulary came in.
  std::sort(specials_.begin(), specials_.end(),
            [](const Special& a, const Special& b) { return a.text.size() > b.text.size(); });
}

void ClipTokenizer::read_bytes(const Vocabulary& vocabulary) {
  const std::array<std::string, 256> visible = visible_bytes();
  // The end token is also the unknown one: a vocabulary need not have every byte.
  const auto id_or_unknown = [&](const std::string& token) {
    const auto found = vocabulary.find(token);
    return found == vocabulary.end() ? facts_.end : found->second;
  };
  for (std::size_t byte = 0; byte < visible.size(); ++byte) {
    byte_ids_[byte] = id_or_unknown(visible[byte]);
    last_byte_ids_[byte] = id_or_unknown(visible[byte] + std::string(end_of_word));
  }
}

void ClipTokenizer::read_merges(const Vocabulary& vocabulary, std::string_view merges) {
  merges_.reserve(static_cast<std::size_t>(std::count(merges.begin(), merges.end(), '\n')) + 1);
  std::size_t line_number = 0;
  std::uint32_t rank = 0;
  std::string left;
  std::string right;
  while (!merges.empty()) {
    const std::string_view line = merges.substr(0, merges.find('\n'));
    merges.remove_prefix(std::min(line.size() + 1, merges.size()));
    ++line_number;
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos || blank == 0 || blank + 1 == line.size() ||
        line.find(' ', blank + 1) != std::string_view::npos) {
      refuse_merge(line_number, line, "expected two tokens with one blank between");
    }
    left = line.substr(0, blank);
    right = line.substr(blank + 1);
    const int left_id = find_token(vocabulary, left, line_number, line);
    const int right_id = find_token(vocabulary, right, line_number, line);
    const int merged_id = find_token(vocabulary, left.append(right), line_number, line);
    merges_[pair_key(left_id, right_id)] = {rank++, merged_id};
  }
}

const ClipTokenizer::Merge* ClipTokenizer::find_merge(int left, int right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

const ClipTokenizer::Special* ClipTokenizer::special_at(std::string_view text) const {
  for (const Special& special : specials_) {
    if (text.starts_with(special.text)) return &special;
  }
  return nullptr;
}

std::vector<PromptToken> ClipTokenizer::tokens(std::string_view text) const {
  std::vector<PromptToken> tokens;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Special* special = special_at(text.substr(i));
    if (special == nullptr) {
      ++i;
      continue;
    }
    append_text(text.substr(begin, i - begin), tokens);
    tokens.push_back({special->id, special->text});
    i += special->text.size();
    begin = i;
  }
  append_text(text.substr(begin), tokens);
  return tokens;
}

Tokenized ClipTokenizer::encode(std::string_view prompt) const {
  const std::vector<PromptToken> all = tokens(prompt);
  Tokenized result;
  result.count = all.size();
  const auto length = static_cast<std::size_t>(facts_.length);
  const std::size_t kept = std::min(all.size(), length - 2);
  result.ids.reserve(length);
  result.ids.push_back(facts_.start);
  for (std::size_t i = 0; i < kept; ++i) result.ids.push_back(all[i].id);
  result.ids.push_back(facts_.end);
  result.ids.resize(length, facts_.pad);
  result.cut = decoded(std::span(all).subspan(kept));
  return result;
}

void ClipTokenizer::append_text(std::string_view text, std::vector<PromptToken>& tokens) const {
  for (const std::string& piece : clip_pieces(text)) append_piece(piece, tokens);
}

void ClipTokenizer::append_piece(std::string_view piece, std::vector<PromptToken>& tokens) const {
  std::vector<Symbol> symbols(piece.size());
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    const bool last = i + 1 == piece.size();
    symbols[i] = {last ? last_byte_ids_[byte] : byte_ids_[byte], i, i + 1, std::nullopt, std::nullopt};
    if (i > 0) symbols[i].previous = i - 1;
    if (!last) symbols[i].next = i + 1;
  }

  std::priority_queue<MergeCandidate, std::vector<MergeCandidate>, std::greater<>> candidates;
  const auto propose = [&](std::size_t left) {
    if (!symbols[left].next) return;
    const int left_id = symbols[left].id;
    const int right_id = symbols[*symbols[left].next].id;
    const Merge* merge = find_merge(left_id, right_id);
    if (merge != nullptr) candidates.push({merge->rank, left, left_id, right_id, merge->id});
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) propose(i);

  while (!candidates.empty()) {
    const MergeCandidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbols[best.left];
    // Either side may have been merged since the pair was proposed.
    if (left.begin == left.end || left.id != best.left_id || !left.next) continue;
    Symbol& right = symbols[*left.next];
    if (right.id != best.right_id) continue;
    left.id = best.merged_id;
    left.end = right.end;
    left.next = right.next;
    right.begin = right.end;
    if (left.next) symbols[*left.next].previous = best.left;
    propose(best.left);
    if (left.previous) propose(*left.previous);
  }

  for (const Symbol& symbol : symbols) {
    if (symbol.begin == symbol.end) continue;
    std::string text(piece.substr(symbol.begin, symbol.end - symbol.begin));
    if (symbol.end == piece.size()) text += ' ';
    tokens.push_back({symbol.id, std::move(text)});
  }
}

}  // namespace lapis::core
