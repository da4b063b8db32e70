// The first half of the CLIP tokenizer: from a prompt to the pieces that byte pairs are merged in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// `text` (valid UTF-8) as CLIP's tokenizer reads it: NFC, each code point lower-cased alone, so that a final sigma is
/// an ordinary one.
std::u32string clip_normalized(std::string_view text);

/// Code points as UTF-8.
std::string utf8_of(std::u32string_view text);

/// The pieces of `text` (valid UTF-8), as the fast CLIPTokenizer of Hugging Face transformers 5 makes them:
/// `clip_normalized`, then split into contractions, runs of letters, single numbers and runs of anything else that is
/// not white space. White space separates and is dropped.
std::vector<std::string> clip_pieces(std::string_view text);

}  // namespace lapis::core
