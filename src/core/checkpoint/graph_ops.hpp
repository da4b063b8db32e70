// Which operators of TorchScript a graph may hold: those that make tensors out of tensors.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lapis/error.hpp"

namespace lapis::core {

/// An operator that no graph may hold, although its namespace is one of tensors.
struct RefusedOperator {
  std::string_view name;  ///< "aten::save"
  std::string_view why;   ///< what it does, in words that follow "which": "writes a file"
};

/// Every row of the table of refused operators, for documents and tests.
std::span<const RefusedOperator> refused_operators();

/// Why a graph with the operator `space`::`name` is refused, in words that follow its name and "which"; empty for an
/// operator that may stand. Of aten everything may but the table above; of prim, which is the language itself, what the
/// language needs; of every other namespace nothing.
std::string_view operator_fault(std::string_view space, std::string_view name);

/// Why a graph is refused that calls this word without a namespace in TorchScript's text (print, fork, ...), in words
/// that follow it and "which"; empty for a word that may stand.
std::string_view word_fault(std::string_view word);

/// Whether an operator of aten of this name reads or writes files. In the text every value has aten's operators as
/// methods, so such a name is refused wherever it stands.
bool reaches_files(std::string_view name);

/// The error about `file`, for `what` was found: "its code calls aten::save, which writes a file".
Error refusal(ErrorKind kind, std::string_view file, std::string_view what);

}  // namespace lapis::core
