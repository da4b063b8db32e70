// What the outputs of a request are called: its pictures, its latents.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/latent/latent_formats.hpp"

namespace lapis::pipeline {

/// The value of a word of a template; none leaves the word where it stands.
using ValueOf = std::function<std::optional<std::string>(const std::string& word)>;

/// A template with values in place of its words: "{word}", or "{word:03}" for at least three characters, filled up with
/// zeros. Throws Error{usage} for a word that is none of `known`, and for braces that are not closed.
std::string filled(const std::string& pattern, std::span<const std::string> known, const ValueOf& value_of);

/// An output as it is named, "-" where that is standard output, by whichever name: text about a file must not go behind
/// bytes that are there.
std::string output_name(const std::string& path);

/// A file to write: `output`, or where that names a folder, by its last "/" or because it is one, `usual` in it.
std::string in_folder(const std::string& output, const std::string& usual);

/// Whether a name ends as that of a picture that is written does: ".png", in any case.
bool is_picture_name(const std::string& path);

/// What the outputs of a latent's file begin with: its name without its folder and its ending, "latent" for "-".
std::string latent_stem(const std::string& path);

/// One name for each picture out of a template: "{seed}" and "{index}" (from 0) stand for the picture's. With more than
/// one picture and neither word, "-{index}" goes before the extension. "-" is standard output, for one picture.
/// A device or a pipe is written to as it is. Throws Error{usage} for another word in braces, for an ending that is not
/// .png (in any case), or for "-" with more than one picture.
std::vector<std::string> picture_names(const std::string& pattern, std::uint64_t first_seed, int count);

/// One name for the latent of all pictures, or where the template says "{index}" (from 0) or "{name}", the picture's
/// file name without its folder and its ending, one for the latent of each. "-" is standard output. Throws Error{usage}
/// for another word in braces, and for two pictures that would share a name.
std::vector<std::string> latent_names(const std::string& pattern, const std::vector<std::string>& pictures);

/// The format a latent is written in: the one called `format`, or where that is empty the one that asks for the ending
/// of `path`, or lapis' own. Throws Error{usage} for a name that is none, and for a path that ends like a picture;
/// `key` is the field that names the path, "output" or "latent".
io::LatentFormat output_format(const std::string& format, const std::string& path, std::string_view key = "output");

}  // namespace lapis::pipeline
