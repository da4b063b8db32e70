#include "pipeline/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <variant>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/picture/pixels.hpp"
#include "core/stopwatch.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "io/file/file_kinds.hpp"
#include "io/picture/picture_reader.hpp"
#include "io/picture/pixels_digest.hpp"
#include "io/picture/png.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

constexpr std::array<std::string_view, 11> picture_endings = {".png", ".jpg", ".jpeg", ".bmp", ".tga", ".gif",
                                                              ".ppm", ".pgm", ".pbm",  ".pnm", ".pam"};
constexpr std::array<std::string_view, 3> latent_endings = {".safetensors", ".latent", ".npy"};

template <std::size_t Count>
bool ends_in(const fs::path& path, const std::array<std::string_view, Count>& endings) {
  return std::ranges::find(endings, core::lower_ascii(path.extension().string())) != endings.end();
}

/// A picture as it is compared, and its file.
struct PictureSide {
  core::ComparedPicture picture;
  std::string settings;  ///< "lapis" text of a PNG
  std::vector<std::string> notes;
};

/// A latent in model units, and its file.
struct LatentSide {
  Latent latent;
  Passport passport;
};

/// One file, read.
struct Side {
  io::ComparedFile file;
  std::string name;  ///< for messages
  std::variant<PictureSide, LatentSide> content;
};

bool is_picture(const io::LatentSource& source) {
  const io::FileKind* kind = io::find_file_kind(source.bytes());
  return kind != nullptr ? kind->picture : ends_in(source.name(), picture_endings);
}

/// What a PNG says of the settings it was made with; nothing where its texts are damaged, for its pixels may be whole.
std::string settings_of(const io::LatentSource& source) {
  if (!io::is_png(source.bytes())) return "";
  try {
    for (const io::NamedText& text : io::read_png_text(source.bytes(), source.name()).texts) {
      if (text.key == "lapis") return text.text;
    }
  } catch (const Error&) {
  }
  return "";
}

std::vector<std::uint8_t> alpha_of(const core::Pixels& pixels) {
  std::vector<std::uint8_t> alpha;
  if (!core::has_holes(pixels)) return alpha;
  const auto channels = static_cast<std::size_t>(pixels.channels);
  for (std::size_t i = channels - 1; i < pixels.bytes.size(); i += channels) alpha.push_back(pixels.bytes[i]);
  return alpha;
}

Side picture_side(const std::string& path, const io::LatentSource& source) {
  const std::string& name = source.name();
  const io::PictureFacts facts = io::read_picture_facts(source.bytes(), name);
  PictureSide side;
  core::Pixels pixels = core::upright(io::read_pixels(source.bytes(), facts, name), facts.orientation);
  if (facts.orientation != 1) {
    side.notes.push_back(
        core::sentence("{} was {}, as its Exif data say", name, core::orientation_text(facts.orientation)));
  }
  if (facts.bits > 8) {
    side.notes.push_back(core::sentence("{} has {} bits a value, of which the upper 8 are compared", name, facts.bits));
  }
  side.picture.alpha = alpha_of(pixels);
  if (!side.picture.alpha.empty()) {
    side.notes.push_back(core::sentence("{} is transparent in places: laid over white, and its alpha compared", name));
  }
  side.picture.image = core::rgb_image(core::flattened(std::move(pixels), 255));
  side.settings = settings_of(source);
  const Image& image = side.picture.image;
  io::ComparedFile file{path, facts.format, {image.width, image.height}, io::pixels_sha256(image), facts.bits};
  return {std::move(file), name, std::move(side)};
}

Side latent_side(const std::string& path, const io::LatentSource& source, const io::LatentHints& hints) {
  io::ForeignLatent read = io::read_latent(source.bytes(), source.name(), hints);
  const Passport& passport = read.document.passport;
  io::ComparedFile file{
      path, io::latent_format_row(read.format).name, {passport.shape.begin(), passport.shape.end()}, "", 8};
  Latent latent = io::to_latent(read.document);
  return {std::move(file), source.name(), LatentSide{std::move(latent), std::move(read.document.passport)}};
}

Side read_side(const std::string& path, const io::LatentHints& hints) {
  const io::LatentSource source(path, io::LatentSource::largest_pipe, /*or_picture=*/true);
  return is_picture(source) ? picture_side(path, source) : latent_side(path, source, hints);
}

void refuse_size(io::ComparedPair& pair, const std::string& a, const std::string& b) {
  pair.judgement.breaches.push_back({"size", core::sentence("{} and {} are of two sizes", a, b)});
}

void compare_pictures(const PictureSide& a, const PictureSide& b, io::ComparedPair& pair) {
  pair.notes.insert(pair.notes.end(), a.notes.begin(), a.notes.end());
  pair.notes.insert(pair.notes.end(), b.notes.begin(), b.notes.end());
  if (pair.a.size != pair.b.size) {
    const auto size = [](const Image& image) { return core::size_text({image.width, image.height}) + " pixels"; };
    return refuse_size(pair, size(a.picture.image), size(b.picture.image));
  }
  pair.difference = core::difference_of(a.picture, b.picture, pair.tolerance);
  pair.judgement = core::judge(*pair.difference, pair.tolerance);
}

void compare_latents(const Side& of_a, const Side& of_b, io::ComparedPair& pair) {
  const auto& a = std::get<LatentSide>(of_a.content);
  const auto& b = std::get<LatentSide>(of_b.content);
  const Space& space_a = a.passport.space;
  const Space& space_b = b.passport.space;
  if (!core::same_numbers(space_a, space_b)) {
    throw Error(ErrorKind::incompatible,
                core::sentence("{} is in space {} ({}) and {} in {} ({}): their numbers mean other things.", of_a.name,
                               core::space_name(space_a), core::space_numbers(space_a), of_b.name,
                               core::space_name(space_b), core::space_numbers(space_b)),
                core::sentence("Carry one into the other's space first: {lapis convert} {} {to} MODEL",
                               core::shell_word(of_b.file.path)));
  }
  if (a.latent.sigma != b.latent.sigma) {
    pair.notes.push_back(
        core::sentence("{} is at sigma {:.6g}, {} at {:.6g}", of_a.name, a.latent.sigma, of_b.name, b.latent.sigma));
  }
  if (!a.passport.vae_sha256.empty() && !b.passport.vae_sha256.empty() &&
      a.passport.vae_sha256 != b.passport.vae_sha256) {
    pair.notes.emplace_back("the two name VAEs of two digests");
  }
  if (a.latent.shape != b.latent.shape) {
    return refuse_size(pair, core::shape_text(a.latent.shape), core::shape_text(b.latent.shape));
  }
  pair.difference = core::difference_of(a.latent.values, b.latent.values, a.latent.shape, pair.tolerance);
  pair.judgement = core::judge(*pair.difference, pair.tolerance);
}

const std::string& settings_of(const Side& side) {
  const auto* picture = std::get_if<PictureSide>(&side.content);
  return picture != nullptr ? picture->settings : std::get<LatentSide>(side.content).passport.job;
}

/// Throws for a picture beside a latent.
void check_kinds(const Side& a, const Side& b) {
  if (a.content.index() == b.content.index()) return;
  const bool latent_first = std::holds_alternative<LatentSide>(a.content);
  const std::string& latent = latent_first ? a.name : b.name;
  throw Error(ErrorKind::incompatible,
              core::sentence("{} is a latent and {} a picture.", latent, latent_first ? b.name : a.name),
              core::sentence("Make a picture of it first: {lapis decode} {}",
                             core::shell_word(latent_first ? a.file.path : b.file.path)));
}

/// Throws for what can be asked of pictures alone.
void check_asked_of_latents(const CompareAsked& asked) {
  for (const core::Threshold& row : core::thresholds()) {
    if (!row.of_pictures || !asked.tolerance.contains(row.name)) continue;
    throw Error(ErrorKind::usage, core::sentence("{} is for pictures, and {} is a latent. Leave it out",
                                                 core::field_name(row.name), asked.a));
  }
}

void compare_sides(const Side& a, const Side& b, const core::AskedTolerance& asked, io::ComparedPair& pair) {
  check_kinds(a, b);
  pair.a = a.file;
  pair.b = b.file;
  if (const auto* picture = std::get_if<PictureSide>(&a.content)) {
    pair.tolerance = core::picture_tolerance(asked);
    compare_pictures(*picture, std::get<PictureSide>(b.content), pair);
  } else {
    pair.tolerance = core::latent_tolerance(asked);
    compare_latents(a, b, pair);
  }
  if (!pair.difference || !pair.difference->identical())
    pair.changed = io::changed_settings(settings_of(a), settings_of(b));
}

/// The difference of two sides as a picture; none of latents of two sizes.
std::optional<Image> drawing_of(const Side& a, const Side& b, const io::ComparedPair& pair) {
  if (const auto* picture = std::get_if<PictureSide>(&a.content))
    return core::drawn_difference(picture->picture, std::get<PictureSide>(b.content).picture, a.name, b.name);
  if (!pair.difference) return std::nullopt;
  const Latent& latent = std::get<LatentSide>(a.content).latent;
  return core::drawn_difference(latent.values, std::get<LatentSide>(b.content).latent.values, latent.shape,
                                *pair.difference);
}

Comparison compare_files(const CompareAsked& asked) {
  const core::Stopwatch watch;
  Comparison comparison;
  Side a = read_side(asked.a, asked.hints);
  Side b = read_side(asked.b, asked.hints);
  check_kinds(a, b);
  auto* picture = std::get_if<PictureSide>(&a.content);
  if (picture == nullptr) check_asked_of_latents(asked);
  io::ComparedPair pair;
  pair.name = asked.a;
  compare_sides(a, b, asked.tolerance, pair);
  pair.seconds = watch.seconds();
  if (asked.drawing == Drawn::all || (asked.drawing == Drawn::differences && !pair.equal())) {
    comparison.drawing = drawing_of(a, b, pair);
    if (!comparison.drawing) pair.notes.emplace_back("no difference is drawn of latents of two sizes");
    if (picture != nullptr)
      comparison.pictures = {std::move(picture->picture.image),
                             std::move(std::get<PictureSide>(b.content).picture.image)};
  }
  comparison.pairs.push_back(std::move(pair));
  return comparison;
}

/// In which of the two folders a name is.
struct Sides {
  bool a = false;
  bool b = false;
};

io::ComparedPair missing_pair(const CompareAsked& asked, const std::string& name, bool in_a) {
  io::ComparedPair pair;
  pair.name = name;
  pair.tolerance = core::picture_tolerance(asked.tolerance);
  (in_a ? pair.a : pair.b).path = (fs::path(in_a ? asked.a : asked.b) / name).string();
  pair.judgement.breaches.push_back({"missing", core::sentence("it is only in {}", in_a ? asked.a : asked.b)});
  return pair;
}

io::ComparedPair pair_of(const CompareAsked& asked, const std::string& name) {
  const core::Stopwatch watch;
  io::ComparedPair pair;
  pair.name = name;
  pair.a.path = (fs::path(asked.a) / name).string();
  pair.b.path = (fs::path(asked.b) / name).string();
  std::optional<Image> drawing;
  try {
    const Side a = read_side(pair.a.path, asked.hints);
    const Side b = read_side(pair.b.path, asked.hints);
    compare_sides(a, b, asked.tolerance, pair);
    if (asked.on_drawing && !pair.equal()) drawing = drawing_of(a, b, pair);
  } catch (const Error& error) {
    pair.error = error;
  }
  pair.seconds = watch.seconds();
  if (drawing) asked.on_drawing(name, *drawing);
  return pair;
}

Comparison compare_folders(const CompareAsked& asked, const Events& events) {
  std::map<std::string, Sides> names;
  Comparison comparison;
  comparison.folders = true;
  for (const auto& [folder, side] : {std::pair(asked.a, &Sides::a), std::pair(asked.b, &Sides::b)}) {
    const FolderNames found = names_in(folder);
    for (const std::string& name : found.names) names[name].*side = true;
    comparison.others += found.others;
  }
  if (names.empty()) {
    throw Error(ErrorKind::input,
                core::sentence("neither {} nor {} has a picture or a latent in it.", asked.a, asked.b));
  }
  for (const auto& [name, sides] : names) {
    comparison.pairs.push_back(sides.a && sides.b ? pair_of(asked, name) : missing_pair(asked, name, sides.a));
    if (events.step) events.step(static_cast<int>(comparison.pairs.size()), static_cast<int>(names.size()));
  }
  return comparison;
}

}  // namespace

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return path != "-" && fs::is_directory(path, ignored);
}

SeenPicture picture_of(const std::string& path) {
  Side side = picture_side(path, io::LatentSource(path, io::LatentSource::largest_pipe, /*or_picture=*/true));
  return {std::move(std::get<PictureSide>(side.content).picture.image), side.file.pixels_sha256};
}

FolderNames names_in(const std::string& folder) {
  FolderNames found;
  try {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      if (ends_in(entry.path(), picture_endings) || ends_in(entry.path(), latent_endings)) {
        found.names.push_back(entry.path().lexically_relative(folder).generic_string());
      } else {
        ++found.others;
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::input, core::sentence("the folder {} cannot be read: {}", folder, error.code().message()));
  }
  return found;
}

Comparison compare(const CompareAsked& asked, const Events& events) {
  core::picture_tolerance(asked.tolerance);
  const bool folder_a = is_folder(asked.a);
  const bool folder_b = is_folder(asked.b);
  if (folder_a && folder_b) return compare_folders(asked, events);
  if (!folder_a && !folder_b) return compare_files(asked);
  const io::LatentSource file(folder_a ? asked.b : asked.a);  // one that is not there is the first thing to say
  throw Error(ErrorKind::usage, core::sentence("{} is a folder and {} is none. Name two files, or two folders",
                                               folder_a ? asked.a : asked.b, folder_a ? asked.b : asked.a));
}

}  // namespace lapis::pipeline
