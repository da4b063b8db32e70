// A latent's passport as the metadata of its file (docs/latent-format.md, "Metadata"). For `latent_file.cpp` and the
// formats that have no passport of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>

#include "core/text/sentence.hpp"
#include "io/file/file_descriptor.hpp"
#include "lapis/error.hpp"
#include "lapis/latent.hpp"

namespace lapis::io {

constexpr std::size_t longest_latent_header = 16'000'000;  ///< bytes; metadata are the most of it
constexpr std::int64_t most_latent_numbers = 1'000'000'000;

/// Keys of other programs begin so: they are carried along, and never read.
constexpr const char* foreign_prefix = "x-";

/// What to do about a damaged latent: for a pipe that is another thing than for a file.
std::string latent_advice(const std::string& name);

/// Throws Error{input}: "NAME <what>.", and what to do. `what` begins with a verb, and has places for `values`.
template <typename... Values>
[[noreturn]] void fail_latent(const std::string& name, std::type_identity_t<core::SentenceText<sizeof...(Values)>> what,
                              const Values&... values) {
  throw Error(ErrorKind::input, core::sentence("{} {}.", name, core::sentence(what, values...)), latent_advice(name));
}

/// The metadata of `passport`, all but what is said by the tensor: dtype and shape.
std::map<std::string, std::string> metadata_of(const Passport& passport);

/// The passport in a file's metadata, for a tensor of this dtype and shape. Keys with the foreign prefix are passed
/// over. Throws as `parse_passport`.
Passport passport_of(const std::map<std::string, std::string>& metadata, LatentDtype dtype,
                     const std::array<std::int64_t, 4>& shape, const std::string& name);

/// Cells along each side of the tokens in which diffusers hands latents of this space over; 1: as they are.
int packing_of(const Space& space);

/// Throws Error{input} where the shape is none of this space: sizes below 1, other channels, a side that does not make
/// whole patches, or more numbers than are read.
void check_latent_shape(const std::array<std::int64_t, 4>& shape, const Space& space, const std::string& name);

}  // namespace lapis::io
