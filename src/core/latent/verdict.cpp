#include "core/latent/verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/text/job_limits.hpp"
#include "core/latent/latents.hpp"
#include "core/text/shell_word.hpp"
#include "core/family/spaces.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::size_t shown_digits = 12;  // of a digest, in messages

/// What is asked, under one name.
struct Question {
  const std::string& file;
  const Passport& latent;
  Layout layout;
  const Destination& destination;
  const Means& means;
};

std::string file_word(const std::string& file) { return file == "standard input" ? "-" : shell_word(file); }

/// A file to write that is not the one that is read.
std::string result_word(const std::string& file) {
  const std::string last = file.substr(file.find_last_of('/') + 1);
  return last == "b.safetensors" ? "c.safetensors" : "b.safetensors";
}

/// "lapis convert a.safetensors --to tiny-sdxl -o b.safetensors", with `options` before its output.
std::string convert_line(const Question& q, const std::string& to, const std::string& options = "") {
  return "lapis convert " + file_word(q.file) + " --to " + to + options + " -o " + result_word(q.file);
}

std::string side_text(const Space& space) { return space_name(space) + " (" + space_numbers(space) + ")"; }

/// Both sides with their numbers: every reason begins with it.
std::string both_sides(const Question& q) {
  if (q.latent.space == q.destination.space) {
    return q.file + " and " + q.destination.name + " are both of space " + side_text(q.latent.space) + ".";
  }
  return q.file + " is in space " + side_text(q.latent.space) + "; " + q.destination.name + " wants " +
         side_text(q.destination.space) + ".";
}

bool is_known(const PixelSize& size) { return size.width > 0 && size.height > 0; }

PixelSize wanted_size(const Question& q) { return q.destination.size.value_or(picture_size(q.latent)); }

/// Whether the picture has to change its size on the way.
bool resizes(const Question& q) {
  const PixelSize own = picture_size(q.latent);
  return is_known(own) && wanted_size(q) != own;
}

bool shares_values(const Question& q) {
  return !q.latent.space.lineage.empty() && same_values(q.latent.space, q.destination.space);
}

Ruling refusal(const Question& q, const std::string& why, std::string advice) {
  Ruling ruling;
  ruling.verdict = Verdict::refuse;
  ruling.reason = both_sides(q) + " " + why;
  ruling.advice = std::move(advice);
  ruling.size = wanted_size(q);
  return ruling;
}

std::optional<Ruling> refused_as_contradictory(const Question& q) {
  const Space& from = q.latent.space;
  const Space& to = q.destination.space;
  if (q.latent.shape[1] != 0 && q.latent.shape[1] != from.channels) {
    return refusal(
        q,
        q.file + " contradicts itself: it holds " + std::to_string(q.latent.shape[1]) + " channels, its space has " +
            std::to_string(from.channels) + ".",
        "Write it again with the program that made it; lapis inspect " + file_word(q.file) + " shows what it holds");
  }
  if (from.lineage.empty() || to.lineage.empty()) {
    return refusal(q,
                   "Nothing says which training " + (to.lineage.empty() ? q.destination.name : q.file) +
                       " comes from, and numbers alone do not make two VAEs the same.",
                   "Name it where it can be said: --space ID:LINEAGE for a latent, model.json for a VAE");
  }
  if (from.lineage == to.lineage && !same_values(from, to)) {
    return refusal(q, "One VAE cannot have both shapes: the name " + from.lineage + " stands for two different ones.",
                   "Rename the lineage of the one that is not " + from.lineage +
                       ": --space ID:LINEAGE for a latent, model.json for a model");
  }
  return std::nullopt;
}

std::optional<Ruling> refused_by_digest(const Question& q) {
  const std::string& made_by = q.latent.vae_sha256;
  const std::string& met = q.destination.vae_sha256;
  if (made_by.empty() || met.empty() || made_by == met || !shares_values(q)) return std::nullopt;
  if (q.destination.has_vae && q.destination.has_vae(made_by)) return std::nullopt;
  return refusal(q,
                 "The names agree, the VAEs do not: the latent comes from the one with digest " +
                     made_by.substr(0, shown_digits) + ", " + q.destination.name + " has " +
                     met.substr(0, shown_digits) + "; one of the two is not what it was.",
                 "Get back the VAE that made it, or make the latent again; lapis inspect MODEL --verify finds a model "
                 "whose files have changed");
}

const char* path_text(Path path) { return path == Path::flow ? "a flow path" : "a variance-exploding path"; }

std::optional<Ruling> refused_as_unfinished(const Question& q) {
  if (q.latent.sigma == 0) return std::nullopt;
  const Destination& to = q.destination;
  std::string why;
  if (!same_numbers(q.latent.space, to.space)) {
    why = "noise is never carried into another space";
  } else if (!to.reads_unfinished) {
    why = to.name + " takes finished latents alone";
  } else if (to.path != q.latent.path) {
    why = "it was left on " + std::string(path_text(q.latent.path)) + ", " + to.name + " walks " + path_text(to.path);
  } else if (resizes(q)) {
    why = "noise has no other size: " + size_text(picture_size(q.latent)) + " pixels cannot become " +
          size_text(wanted_size(q));
  } else {
    return std::nullopt;
  }
  return refusal(
      q,
      q.file + " is unfinished, at sigma " + number_text(q.latent.sigma) + " after " + std::to_string(q.latent.step) +
          (q.latent.step == 1 ? " step" : " steps") + ": " + why + ".",
      "Finish it first: lapis generate --init-latent " + file_word(q.file) + " --latent " + result_word(q.file));
}

/// What the picture's sides must be multiples of where it goes.
int side_unit(const Question& q) {
  const Destination& to = q.destination;
  const SpaceRow* row = find_space(to.space.id);
  const int packing = to.layout == Layout::packed && row != nullptr ? row->packing : 1;
  return std::lcm(std::max(to.size_multiple, 1), std::max(to.space.downscale, 1) * packing);
}

std::optional<Ruling> refused_by_size(const Question& q) {
  const PixelSize size = wanted_size(q);
  const int unit = side_unit(q);
  if (!is_known(size) || (size.width % unit == 0 && size.height % unit == 0)) return std::nullopt;
  const auto nearest = [unit](int side) { return std::max(1, (side + unit / 2) / unit) * unit; };
  const PixelSize good = {nearest(size.width), nearest(size.height)};
  const std::string option = " --size " + std::to_string(good.width) + "x" + std::to_string(good.height);
  return refusal(q,
                 "The picture would be " + size_text(size) + " pixels; there, sides are multiples of " +
                     std::to_string(unit) + ".",
                 "Give it a size that fits: " + convert_line(q, shell_word(q.destination.name), option));
}

std::string to_model_text(const Space& space) {
  const std::string scale = number_text(space.scale);
  if (!space.mean.empty()) return "m = (v - mean) * " + scale + " / deviation";
  return space.shift == 0 ? "m = v * " + scale : "m = (v - " + number_text(space.shift) + ") * " + scale;
}

std::string to_vae_text(const Space& space) {
  const std::string scale = number_text(space.scale);
  if (!space.mean.empty()) return "v = m * deviation / " + scale + " + mean";
  return "v = m / " + scale + (space.shift == 0 ? "" : " + " + number_text(space.shift));
}

/// The arithmetic between two sets of numbers of one VAE's values; empty where there is none.
std::vector<std::string> arithmetic(const Question& q) {
  const Space& from = q.latent.space;
  const Space& to = q.destination.space;
  const Units units = q.destination.units;
  const bool same = same_numbers(from, to);
  if (same && q.latent.units == units) return {};
  if (!same && q.latent.units == Units::vae && units == Units::vae) {
    return {"keep the raw VAE values, which are those of " + space_name(to) + " too"};
  }
  std::vector<std::string> steps;
  if (q.latent.units == Units::model)
    steps.push_back("to raw VAE values of " + space_name(from) + ": " + to_vae_text(from));
  if (units == Units::model) steps.push_back("to model units of " + space_name(to) + ": " + to_model_text(to));
  return steps;
}

std::string layout_step(Layout from, Layout to) {
  if (from == to) return "";
  return to == Layout::plain ? "unpack the tokens to [batch, channels, height, width]" : "pack the cells into tokens";
}

/// The same raw values: nothing to do, or exact arithmetic, or another order.
Ruling exact(const Question& q) {
  const std::string layout = layout_step(q.layout, q.destination.layout);
  Ruling ruling;
  ruling.steps = arithmetic(q);
  ruling.size = wanted_size(q);
  ruling.verdict = !ruling.steps.empty() ? Verdict::rescale : !layout.empty() ? Verdict::repack : Verdict::same;
  if (!layout.empty())
    ruling.steps.insert(q.layout == Layout::packed ? ruling.steps.begin() : ruling.steps.end(), layout);
  ruling.reason = both_sides(q);
  if (ruling.verdict == Verdict::same) {
    ruling.reason += " The same numbers.";
  } else if (ruling.verdict == Verdict::repack) {
    ruling.reason += " The same numbers in another order.";
  } else {
    ruling.reason += " The same VAE's values by other numbers: exact arithmetic.";
  }
  return ruling;
}

/// Why other spaces are other spaces, in plain words.
std::string difference(const Question& q) {
  const Space& from = q.latent.space;
  const Space& to = q.destination.space;
  if (shares_values(q)) return "Another size takes a decode and an encode.";
  if (from.channels != to.channels) return "Different spaces, and different counts of channels.";
  return "Different spaces: the channels are as many, what they mean is not the same.";
}

/// " with digest 0123456789ab", where a latent records one.
std::string digest_text(const Passport& latent) {
  return latent.vae_sha256.empty() ? "" : " with digest " + latent.vae_sha256.substr(0, shown_digits);
}

Ruling crossing(const Question& q) {
  const Destination& to = q.destination;
  const std::string name = shell_word(to.name);
  const std::string size =
      to.size ? " --size " + std::to_string(to.size->width) + "x" + std::to_string(to.size->height) : "";
  if (!q.means.may_convert) return refusal(q, difference(q), "Convert it: " + convert_line(q, name, size));
  if (!q.means.own_decoder) {
    return refusal(q,
                   difference(q) + " The VAE decoder of " + space_name(q.latent.space) + digest_text(q.latent) +
                       " is not at hand.",
                   "Name the model or folder that it came from: " + convert_line(q, name, size + " --from MODEL"));
  }
  if (!q.means.target_encoder) {
    return refusal(q, difference(q) + " " + to.name + " has no VAE encoder at hand.",
                   "Name a model of that space with a VAE encoder: " + convert_line(q, "MODEL", size));
  }
  Ruling ruling;
  ruling.verdict = Verdict::re_encode;
  ruling.reason = both_sides(q) + " " + difference(q);
  ruling.size = wanted_size(q);
  ruling.decodes = 1;
  ruling.encodes = 1;
  const PixelSize own = picture_size(q.latent);
  ruling.steps.push_back("decode by the VAE of " + space_name(q.latent.space) +
                         (is_known(own) ? " to " + size_text(own) + " pixels" : ""));
  if (resizes(q)) ruling.steps.push_back("resize to " + size_text(ruling.size) + " pixels by Lanczos");
  ruling.steps.push_back("encode by the VAE of " + space_name(to.space));
  return ruling;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::same: return "same";
    case Verdict::rescale: return "rescale";
    case Verdict::repack: return "repack";
    case Verdict::re_encode: return "re-encode";
    case Verdict::refuse: return "refuse";
  }
  throw Error(ErrorKind::internal, "a verdict without a name");
}

Ruling judge(const std::string& file, const Passport& latent, Layout layout, const Destination& destination,
             const Means& means) {
  const Question q{file, latent, layout, destination, means};
  for (const auto& refused : {refused_as_contradictory, refused_by_digest, refused_as_unfinished, refused_by_size}) {
    if (std::optional<Ruling> ruling = refused(q)) return *ruling;
  }
  return shares_values(q) && !resizes(q) ? exact(q) : crossing(q);
}

void require(const Ruling& ruling) {
  if (ruling.verdict != Verdict::refuse) return;
  throw Error(ErrorKind::incompatible, ruling.reason, ruling.advice);
}

}  // namespace lapis::core
