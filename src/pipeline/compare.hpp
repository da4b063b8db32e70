// Pictures, latents or folders of them against each other.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/picture/difference.hpp"
#include "core/picture/tolerance.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/report/compare_report.hpp"
#include "lapis/image.hpp"
#include "pipeline/events.hpp"

namespace lapis::pipeline {

/// Of which files the difference is drawn as a picture.
enum class Drawn { nothing, differences, all };

/// What is asked.
struct CompareAsked {
  std::string a;  ///< a picture, a latent or a folder; "-": standard input
  std::string b;
  core::AskedTolerance tolerance;
  io::LatentHints hints;
  Drawn drawing = Drawn::nothing;  ///< of two files
  std::function<void(const std::string& name, const Image& drawing)> on_drawing =
      {};  ///< takes the same of each pair of two folders that differs; none: it is not wanted
};

/// What came of it.
struct Comparison {
  std::vector<io::ComparedPair> pairs;  ///< one, or of folders one a name, in the order of names
  std::size_t others = 0;               ///< files in folders that are neither pictures nor latents by their names
  std::optional<Image> drawing;         ///< none of latents of two sizes
  std::optional<std::pair<Image, Image>> pictures;  ///< both, as they are compared, where the difference is drawn
  bool folders = false;
};

/// Whether files below this are compared; "-" is standard input.
bool is_folder(const std::string& path);

/// Names of the pictures and latents below a folder, as `compare` takes them by their endings, and how many other files
/// there are. Throws Error{input} for a folder that cannot be read.
struct FolderNames {
  std::vector<std::string> names;
  std::size_t others = 0;
};
FolderNames names_in(const std::string& folder);

/// A picture as it is compared.
struct SeenPicture {
  Image image;
  std::string pixels_sha256;
};

/// Throws Error{input} for a file that is no picture, or cannot be read.
SeenPicture picture_of(const std::string& path);

/// Compares two files, or the files of two folders, and of those within, that have one name; a name that only one
/// folder has is a difference, and what cannot be read or compared there an error of its pair. Throws Error{usage} for
/// a folder and a file, and for thresholds of pictures asked of latents; Error{incompatible} for a picture and a latent
/// and for latents of two spaces; Error{input} for files that cannot be read, and for folders without any picture or
/// latent.
Comparison compare(const CompareAsked& asked, const Events& events);

}  // namespace lapis::pipeline
