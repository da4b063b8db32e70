#include "core/text/choice.hpp"

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {

void refuse_word(std::string_view what, std::string_view word, std::span<const std::string> names,
                 std::span<const std::string> others) {
  throw Error(ErrorKind::usage, sentence("{} is \"{}\"; expected one of {}{}", what, word, listed(names),
                                         guess(word, others.empty() ? names : others)));
}

void expect_word(std::string_view what, std::string_view word, std::span<const std::string> names) {
  if (std::ranges::find(names, word) == names.end()) refuse_word(what, word, names);
}

}  // namespace lapis::core
