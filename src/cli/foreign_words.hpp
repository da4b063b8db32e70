// Words of other tools: what somebody who types them means here.
#pragma once

#include <span>
#include <string_view>

namespace lapis::cli {

/// A word that lapis has not, and what stands for it.
struct ForeignWord {
  std::string_view word;
  /// The option, or the beginning of a command line; its value follows, but for what goes in place of FILE and TEXT.
  /// Empty: nothing does.
  std::string_view ours;
  std::string_view note;  ///< a sentence, where `ours` alone does not say it; "" for none
};

/// Options of stable-diffusion.cpp, diffusers, ComfyUI, the web UI and their like, and abbreviations.
std::span<const ForeignWord> foreign_options();

/// Names of commands elsewhere.
std::span<const ForeignWord> foreign_commands();

/// The row of `word`, or null; "_" passes for "-".
const ForeignWord* find_foreign(std::span<const ForeignWord> rows, std::string_view word);

}  // namespace lapis::cli
