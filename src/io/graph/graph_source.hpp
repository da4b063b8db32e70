// The text of a TorchScript archive's code, looked at before libtorch's parser sees it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lapis::io {

/// What is wrong with `text`, one file of an archive's code/, in words that follow "its code"; none if nothing is.
/// Looks for every way in which TorchScript can name an operator (torch.NAME, ops.SPACE.NAME, a method, getattr, a bare
/// word, "^name"), for what libtorch would run while it loads (__setstate__, calls outside of a function's body), for
/// classes written in C++ (torch.classes), and for depths that its recursive parser would not survive. What
/// torch.jit.save never writes (comments, continued lines, strings of three quotes) is refused unread, so that both
/// read the same tokens. Nothing else is said about a text that passes: it may be no TorchScript at all.
std::optional<std::string> source_fault(std::string_view text);

}  // namespace lapis::io
