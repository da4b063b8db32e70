#include "core/prompt/clip_pieces.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "lapis/error.hpp"

namespace lapis::core {
namespace {

enum class PieceKind { space, letter, number, other };

PieceKind kind_of(char32_t c) {
  const auto code_point = static_cast<UChar32>(c);
  const std::uint32_t category = U_GET_GC_MASK(code_point);
  if (category & U_GC_L_MASK) return PieceKind::letter;
  if (category & U_GC_N_MASK) return PieceKind::number;
  return u_isUWhiteSpace(code_point) ? PieceKind::space : PieceKind::other;
}

/// Alternatives of the split that come before letters, numbers and the rest, in order. The special tokens are here in
/// a spelling that only lower-casing made (`<|EndOfText|>`); the byte-level step then splits them in three.
struct FixedPiece {
  std::u32string_view text;
  std::array<std::u32string_view, 3> pieces;
};

constexpr std::array<FixedPiece, 9> fixed_pieces = {{
    {U"<|startoftext|>", {U"<|", U"startoftext", U"|>"}},
    {U"<|endoftext|>", {U"<|", U"endoftext", U"|>"}},
    {U"'s", {U"'s", U"", U""}},
    {U"'t", {U"'t", U"", U""}},
    {U"'re", {U"'re", U"", U""}},
    {U"'ve", {U"'ve", U"", U""}},
    {U"'m", {U"'m", U"", U""}},
    {U"'ll", {U"'ll", U"", U""}},
    {U"'d", {U"'d", U"", U""}},
}};

const FixedPiece* fixed_piece_at(std::u32string_view text) {
  if (text.front() != U'<' && text.front() != U'\'') return nullptr;
  for (const FixedPiece& fixed : fixed_pieces) {
    if (text.starts_with(fixed.text)) return &fixed;
  }
  return nullptr;
}

/// The length of the run that `text` begins with: of its first code point's kind, and 1 for a number.
std::size_t run_length(std::u32string_view text) {
  const PieceKind kind = kind_of(text.front());
  if (kind == PieceKind::number) return 1;
  std::size_t length = 1;
  while (length < text.size() && kind_of(text[length]) == kind) ++length;
  return length;
}

}  // namespace

// U+0130 is the only code point whose lower case is two (Unicode's SpecialCasing.txt).
std::u32string clip_normalized(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error(ErrorKind::usage, "the prompt is longer than 2 GiB; shorten it");
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  const auto source = icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()));
  const icu::UnicodeString composed = nfc->normalize(icu::UnicodeString::fromUTF8(source), status);
  if (U_FAILURE(status)) throw Error(ErrorKind::internal, std::string("ICU cannot normalize: ") + u_errorName(status));
  std::u32string lowered;
  for (std::int32_t i = 0; i < composed.length(); i = composed.moveIndex32(i, 1)) {
    const UChar32 c = composed.char32At(i);
    if (c == 0x130) {
      lowered += U"i\u0307";
    } else {
      lowered += static_cast<char32_t>(u_tolower(c));
    }
  }
  return lowered;
}

std::string utf8_of(std::u32string_view text) {
  std::string utf8;
  for (const char32_t c : text) icu::UnicodeString(static_cast<UChar32>(c)).toUTF8String(utf8);
  return utf8;
}

std::vector<std::string> clip_pieces(std::string_view text) {
  const std::u32string lowered = clip_normalized(text);
  std::vector<std::string> pieces;
  std::u32string_view rest = lowered;
  while (!rest.empty()) {
    if (const FixedPiece* fixed = fixed_piece_at(rest)) {
      for (const std::u32string_view piece : fixed->pieces) {
        if (!piece.empty()) pieces.push_back(utf8_of(piece));
      }
      rest.remove_prefix(fixed->text.size());
      continue;
    }
    const std::size_t length = run_length(rest);
    if (kind_of(rest.front()) != PieceKind::space) pieces.push_back(utf8_of(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  return pieces;
}

}  // namespace lapis::core
