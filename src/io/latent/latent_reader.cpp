#include <algorithm>
#include <string>
#include <utility>

#include "core/checkpoint/lora_shapes.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/units.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_container.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/latent/latent_numbers.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

using Shape = std::array<std::int64_t, 4>;

constexpr int sd1_channels = 4;
constexpr double sd1_scale = 0.18215;

std::string size_text(PixelSize size) { return core::sentence("{}x{}", size.width, size.height); }

[[noreturn]] void contradict(const std::string& name, const std::string& what, const std::string& advice) {
  throw Error(ErrorKind::incompatible, core::sentence("{} {}.", name, what), advice);
}

std::string leave_out(const std::string& key) { return core::sentence("Leave {} out.", core::field_name(key)); }

void check_hinted_size(const Passport& passport, const std::string& name, const LatentHints& hints) {
  const std::int64_t width = passport.shape[3] * passport.space.downscale;
  const std::int64_t height = passport.shape[2] * passport.space.downscale;
  if (!hints.size || (hints.size->width == width && hints.size->height == height)) return;
  contradict(name,
             core::sentence("is a latent of {}x{} pixels, and {} says {}", width, height,
                            core::field_name(hints.keys.size), size_text(*hints.size)),
             leave_out(hints.keys.size));
}

/// A latent of another program: what the hints and the file say, put together.
class Foreign {
 public:
  Foreign(LatentContainer container, std::string name, const LatentHints& hints)
      : container_(std::move(container)), name_(std::move(name)), hints_(hints) {
    choose_format();
    choose_space();
    choose_units();
    passport_.dtype = latent_dtype(container_.tensor, name_);
    choose_shape();
    check_latent_shape(passport_.shape, passport_.space, name_);
    check_hinted_size(passport_, name_, hints_);
  }

  Passport passport() const { return passport_; }
  LatentFormat format() const { return format_; }
  core::Layout layout() const { return layout_; }

  std::vector<float> values(bool any_number) const {
    std::vector<float> numbers = read_numbers(container_.tensor, name_, any_number);
    return layout_ == core::Layout::plain ? numbers : core::unpacked(numbers, passport_.shape, packing_);
  }

  std::map<std::string, std::string> extra() const {
    std::map<std::string, std::string> extra;
    for (const auto& [key, text] : container_.metadata) extra[metadata_prefix(format_) + key] = text;
    return extra;
  }

 private:
  /// A hint may name another format that has the same bytes.
  void choose_format() {
    format_ = container_.format;
    if (!hints_.format || *hints_.format == format_) return;
    const bool diffusers = *hints_.format == LatentFormat::diffusers || *hints_.format == LatentFormat::diffusers_npy;
    if (format_ == LatentFormat::npy && diffusers) {
      format_ = LatentFormat::diffusers_npy;
    } else if (format_ == LatentFormat::diffusers && *hints_.format == LatentFormat::dgenerate) {
      format_ = LatentFormat::dgenerate;
    } else {
      contradict(name_,
                 core::sentence("is of the format {} ({}), and {} says {}", row().name, row().description,
                                core::field_name(hints_.keys.format), latent_format_row(*hints_.format).name),
                 leave_out(hints_.keys.format));
    }
  }

  void choose_space() {
    if (!hints_.space) {
      throw Error(ErrorKind::usage,
                  core::sentence("{} is of the format {}, which does not say its space. Name it with {}: sd15, sdxl, "
                                 "flux or a model",
                                 name_, row().name, core::field_name(hints_.keys.space)),
                  core::sentence("{lapis inspect} {} shows which spaces its numbers fit", name_));
    }
    passport_.space = *hints_.space;
    packing_ = packing_of(passport_.space);
    if (format_ != LatentFormat::comfy_old) return;
    const Space& space = passport_.space;
    if (space.channels == sd1_channels && space.scale == sd1_scale && space.shift == 0 && space.mean.empty()) return;
    contradict(name_,
               core::sentence("has no \"latent_format_version_0\", so ComfyUI takes its numbers times 1/0.18215: only "
                              "SD1's have that scale, and {} says {} ({})",
                              core::field_name(hints_.keys.space), core::space_name(space), core::space_numbers(space)),
               "Name the space sd15 or sd2, or load and save it with a newer ComfyUI.");
  }

  void choose_units() {
    const std::optional<Units> own = row().units;
    const std::string units = core::field_name(hints_.keys.units);
    if (!own && !hints_.units) {
      throw Error(ErrorKind::usage,
                  core::sentence("{} is of the format {}, which does not say its units.", name_, row().name),
                  core::sentence("Add {} model (what a denoiser sees, as diffusers hands latents over) or {} vae (the "
                                 "VAE's own numbers, as ComfyUI keeps them)",
                                 units, units));
    }
    if (own && hints_.units && *own != *hints_.units) {
      contradict(name_,
                 core::sentence("is of the format {}, which holds {} units, and {} says {}", row().name,
                                core::units_name(*own), units, core::units_name(*hints_.units)),
                 leave_out(hints_.keys.units));
    }
    passport_.units = own ? *own : *hints_.units;
  }

  void choose_shape() {
    const TensorView& tensor = container_.tensor;
    const bool diffusers = format_ == LatentFormat::diffusers || format_ == LatentFormat::diffusers_npy;
    if (tensor.shape.size() == 3 && diffusers && packing_ > 1) {
      passport_.shape = packed_shape();
      layout_ = core::Layout::packed;
      return;
    }
    if (diffusers && packing_ > 1) {  // it goes out as it came: not packed
      format_ = format_ == LatentFormat::diffusers ? LatentFormat::dgenerate : LatentFormat::npy;
    }
    const bool one_picture = tensor.shape.size() == 3;
    if (one_picture) {
      std::copy(tensor.shape.begin(), tensor.shape.end(), passport_.shape.begin() + 1);
      passport_.shape[0] = 1;
    } else {
      passport_.shape = latent_shape(tensor, name_);
    }
    if (passport_.shape[1] == passport_.space.channels) return;
    const bool tokens = one_picture && packing_ > 1 && tensor.shape[2] == token_width();
    contradict(name_,
               core::sentence("has a tensor {}, and latents of {} have {} channels", core::shape_text(tensor.shape),
                              core::space_name(passport_.space), passport_.space.channels),
               tokens ? core::sentence("These are packed tokens, as diffusers has them: add {} diffusers {} WxH.",
                                       core::field_name(hints_.keys.format), core::field_name(hints_.keys.size))
                      : core::sentence("{} names another space than the file's: {lapis inspect} shows which fit.",
                                       core::field_name(hints_.keys.space)));
  }

  std::int64_t token_width() const { return std::int64_t{passport_.space.channels} * packing_ * packing_; }

  /// [batch, tokens, channels of a patch]: a hint must say the picture's size.
  Shape packed_shape() const {
    const std::vector<std::int64_t>& shape = container_.tensor.shape;
    if (shape[2] != token_width()) {
      contradict(name_,
                 core::sentence("has a tensor {}, and tokens of {} have {} numbers", core::shape_text(shape),
                                core::space_name(passport_.space), token_width()),
                 core::sentence("{} names another space than the file's.", core::field_name(hints_.keys.space)));
    }
    const int side = passport_.space.downscale * packing_;
    const std::string tokens = core::sentence("{} tokens of {} x {} pixels", shape[1], side, side);
    const std::string size = core::field_name(hints_.keys.size);
    if (!hints_.size) {
      throw Error(ErrorKind::usage,
                  core::sentence("{} holds {}, which do not tell the picture's shape. Add {} WxH, as in {} 1024x768",
                                 name_, tokens, size, size));
    }
    const auto [width, height] = *hints_.size;
    if (width < 1 || height < 1 || width % side != 0 || height % side != 0) {
      throw Error(ErrorKind::usage, core::sentence("{} is {}; pictures of {} have sides of multiples of {}", size,
                                                   size_text(*hints_.size), core::space_name(passport_.space), side));
    }
    const std::int64_t expected = std::int64_t{width / side} * (height / side);
    if (shape[1] != expected) {
      contradict(name_, core::sentence("holds {}, and {} {} has {}", tokens, size, size_text(*hints_.size), expected),
                 "Give the size of the picture that the latent is of.");
    }
    return {shape[0], passport_.space.channels, height / passport_.space.downscale, width / passport_.space.downscale};
  }

  const LatentFormatRow& row() const { return latent_format_row(format_); }

  LatentContainer container_;
  std::string name_;
  const LatentHints& hints_;
  Passport passport_;
  LatentFormat format_ = LatentFormat::lapis;
  core::Layout layout_ = core::Layout::plain;
  int packing_ = 1;
};

/// A file of lapis says everything: hints may only agree.
void check_hints(const Passport& passport, const std::string& name, const LatentHints& hints) {
  if (hints.format && *hints.format != LatentFormat::lapis) {
    contradict(name,
               core::sentence("is lapis' own format, and {} says {}", core::field_name(hints.keys.format),
                              latent_format_row(*hints.format).name),
               leave_out(hints.keys.format));
  }
  if (hints.space && *hints.space != passport.space) {
    contradict(name,
               core::sentence("says that its space is {} ({}), and {} says {} ({})", core::space_name(passport.space),
                              core::space_numbers(passport.space), core::field_name(hints.keys.space),
                              core::space_name(*hints.space), core::space_numbers(*hints.space)),
               core::sentence("Leave {} out; {lapis convert} takes a latent into another space.",
                              core::field_name(hints.keys.space)));
  }
  if (hints.units && *hints.units != passport.units) {
    contradict(name,
               core::sentence("says that it is in {} units, and {} says {}", core::units_name(passport.units),
                              core::field_name(hints.keys.units), core::units_name(*hints.units)),
               leave_out(hints.keys.units));
  }
  check_hinted_size(passport, name, hints);
}

}  // namespace

ForeignLatent read_latent(std::span<const std::byte> file, const std::string& name, const LatentHints& hints,
                          bool any_number) {
  LatentContainer container = open_latent_container(file, name);
  if (container.format == LatentFormat::lapis) {
    check_hints(parse_passport(file, name), name, hints);
    return {parse_latent(file, name, any_number), LatentFormat::lapis, core::Layout::plain};
  }
  const Foreign foreign(std::move(container), name, hints);
  return {{foreign.passport(), foreign.values(any_number), {}, foreign.extra()}, foreign.format(), foreign.layout()};
}

ForeignPassport read_passport(std::span<const std::byte> file, const std::string& name, const LatentHints& hints) {
  LatentContainer container = open_latent_container(file, name);
  if (container.format == LatentFormat::lapis) {
    Passport passport = parse_passport(file, name);
    check_hints(passport, name, hints);
    return {std::move(passport), LatentFormat::lapis, core::Layout::plain};
  }
  const Foreign foreign(std::move(container), name, hints);
  return {foreign.passport(), foreign.format(), foreign.layout()};
}

}  // namespace lapis::io
