// The two grammars with brackets, behind `parse_prompt`.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/prompt/prompt_syntax.hpp"

namespace lapis::core {

/// What both take for nothing around a number.
inline constexpr std::string_view prompt_blanks = " \t\n\r\v\f";

/// `parse_prompt` of syntax a1111, and of syntax comfy.
ParsedPrompt parse_a1111(std::string_view text);
ParsedPrompt parse_comfy(std::string_view text);

/// Where ":", blanks, a number, blanks and ")" stand at `colon`, the offset behind the ")"; else 0. A number here is an
/// optional sign and one or more digits and points, readable or not.
std::size_t weight_end(std::string_view text, std::size_t colon);

}  // namespace lapis::core
