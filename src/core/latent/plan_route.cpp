#include "core/latent/plan_route.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/shell_word.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::size_t shown_digits = 12;  // of a digest, in messages

/// What is asked, under one name.
struct Question {
  const RouteSource& source;
  const RouteTarget& target;
  const Available& available;
  const RouteOptions& options;
};

std::string file_word(const std::string& file) { return file == "standard input" ? "-" : shell_word(file); }

/// A file to write that is not the one that is read.
std::string result_word(const std::string& file) {
  const std::string last = file.substr(file.find_last_of('/') + 1);
  return last == "b.safetensors" ? "c.safetensors" : "b.safetensors";
}

/// The line "convert a.safetensors --to tiny-sdxl -o b.safetensors", with `options` before its output.
std::string convert_line(const Question& q, const std::string& to, const std::string& options = "") {
  return marked("{lapis convert} ") + file_word(q.source.name) + marked(" {to} ") + to + options +
         marked(" {-output} ") + result_word(q.source.name);
}

std::string side_text(const Space& space) { return space_name(space) + " (" + space_numbers(space) + ")"; }

/// Both sides with their numbers: every reason begins with it.
std::string both_sides(const Question& q) {
  if (q.source.passport.space == q.target.space) {
    return q.source.name + " and " + q.target.name + " are both of space " + side_text(q.source.passport.space) + ".";
  }
  return q.source.name + " is in space " + side_text(q.source.passport.space) + "; " + q.target.name + " wants " +
         side_text(q.target.space) + ".";
}

/// " --size 64x48" as `convert` takes it, where a size is asked for.
std::string size_option(const Question& q) {
  const std::optional<PixelSize>& size = q.target.size;
  return size ? marked(" {size} ") + std::to_string(size->width) + "x" + std::to_string(size->height) : "";
}

bool is_known(const PixelSize& size) { return size.width > 0 && size.height > 0; }

PixelSize wanted_size(const Question& q) { return q.target.size.value_or(picture_size(q.source.passport)); }

/// Whether the picture has to change its size on the way.
bool resizes(const Question& q) {
  const PixelSize own = picture_size(q.source.passport);
  return is_known(own) && wanted_size(q) != own;
}

bool shares_values(const Question& q) {
  return !q.source.passport.space.lineage.empty() && same_values(q.source.passport.space, q.target.space);
}

Route refusal(const Question& q, const std::string& why, std::string advice) {
  Route route;
  route.refused = true;
  route.reason = both_sides(q) + " " + why;
  route.advice = std::move(advice);
  route.size = wanted_size(q);
  return route;
}

std::optional<Route> refused_as_contradictory(const Question& q) {
  const Space& from = q.source.passport.space;
  const Space& to = q.target.space;
  if (q.source.passport.shape[1] != 0 && q.source.passport.shape[1] != from.channels) {
    return refusal(q,
                   q.source.name + " contradicts itself: it holds " + std::to_string(q.source.passport.shape[1]) +
                       " channels, its space has " + std::to_string(from.channels) + ".",
                   marked("Write it again with the program that made it; {lapis inspect} ") + file_word(q.source.name) +
                       " shows what it holds");
  }
  if (from.lineage.empty() || to.lineage.empty()) {
    return refusal(q,
                   "Nothing says which training " + (to.lineage.empty() ? q.target.name : q.source.name) +
                       " comes from, and numbers alone do not make two VAEs the same.",
                   marked("Name it where it can be said: {space} ID:LINEAGE for a latent, model.json for a VAE"));
  }
  if (from.lineage == to.lineage && !same_values(from, to)) {
    return refusal(q, "One VAE cannot have both shapes: the name " + from.lineage + " stands for two different ones.",
                   "Rename the lineage of the one that is not " + from.lineage +
                       marked(": {space} ID:LINEAGE for a latent, model.json for a model"));
  }
  return std::nullopt;
}

std::optional<Route> refused_by_digest(const Question& q) {
  const std::string& made_by = q.source.passport.vae_sha256;
  const std::string& met = q.target.vae_sha256;
  if (made_by.empty() || met.empty() || made_by == met || !shares_values(q)) return std::nullopt;
  if (q.target.has_vae && q.target.has_vae(made_by)) return std::nullopt;
  return refusal(
      q,
      "The names agree, the VAEs do not: the latent comes from the one with digest " + made_by.substr(0, shown_digits) +
          ", " + q.target.name + " has " + met.substr(0, shown_digits) + "; one of the two is not what it was.",
      marked("Get back the VAE that made it, or make the latent again; {lapis inspect} MODEL {verify} finds a model "
             "whose files have changed"));
}

const char* path_text(Path path) { return path == Path::flow ? "a flow path" : "a variance-exploding path"; }

std::optional<Route> refused_as_unfinished(const Question& q) {
  if (q.source.passport.sigma == 0) return std::nullopt;
  const RouteTarget& to = q.target;
  std::string why;
  if (!same_numbers(q.source.passport.space, to.space)) {
    why = "noise is never carried into another space";
  } else if (!to.reads_unfinished) {
    why = to.name + " takes finished latents alone";
  } else if (to.path != q.source.passport.path) {
    why = "it was left on " + std::string(path_text(q.source.passport.path)) + ", " + to.name + " walks " +
          path_text(to.path);
  } else if (resizes(q)) {
    why = "noise has no other size: " + size_text(picture_size(q.source.passport)) + " pixels cannot become " +
          size_text(wanted_size(q));
  } else {
    return std::nullopt;
  }
  return refusal(q,
                 q.source.name + " is unfinished, at sigma " + number_text(q.source.passport.sigma) + " after " +
                     std::to_string(q.source.passport.step) + (q.source.passport.step == 1 ? " step" : " steps") +
                     ": " + why + ".",
                 marked("Finish it first: {lapis generate} {init_latent} ") + file_word(q.source.name) +
                     marked(" {latent} ") + result_word(q.source.name));
}

/// What the picture's sides must be multiples of where it goes.
int side_unit(const Question& q) {
  const RouteTarget& to = q.target;
  const SpaceRow* row = find_space(to.space.id);
  const int packing = to.layout == Layout::packed && row != nullptr ? row->packing : 1;
  return std::lcm(std::max(to.size_multiple, 1), std::max(to.space.downscale, 1) * packing);
}

std::optional<Route> refused_by_size(const Question& q) {
  const PixelSize size = wanted_size(q);
  const int unit = side_unit(q);
  if (!is_known(size) || (size.width % unit == 0 && size.height % unit == 0)) return std::nullopt;
  const auto nearest = [unit](int side) { return std::max(1, (side + unit / 2) / unit) * unit; };
  const PixelSize good = {nearest(size.width), nearest(size.height)};
  const std::string option = marked(" {size} ") + std::to_string(good.width) + "x" + std::to_string(good.height);
  return refusal(q,
                 "The picture would be " + size_text(size) + " pixels; there, sides are multiples of " +
                     std::to_string(unit) + ".",
                 "Give it a size that fits: " + convert_line(q, shell_word(q.target.name), option));
}

RouteStep step(StepKind kind, const Space& from, const Space& to, PixelSize size) { return {kind, from, to, size}; }

/// Adds the arithmetic from the numbers of one space to those of another of the same raw values.
void add_arithmetic(Route& route, const Space& from, Units from_units, Units to_units, PixelSize size) {
  const Space& to = route.space;
  const bool same = same_numbers(from, to);
  if (same && from_units == to_units) return;
  if (from_units == Units::vae && to_units == Units::vae) {
    route.steps.push_back(step(StepKind::relabel, from, to, size));
    return;
  }
  const bool ends_raw = to_units == Units::vae;
  if (from_units == Units::model) route.steps.push_back(step(StepKind::to_vae, from, ends_raw ? to : from, size));
  if (!ends_raw) route.steps.push_back(step(StepKind::to_model, from, to, size));
}

/// The same raw values: nothing to do, or exact arithmetic, or another order.
Route exact(const Question& q) {
  const Passport& latent = q.source.passport;
  const PixelSize size = wanted_size(q);
  Route route;
  route.space = q.target.space;
  route.size = size;
  const bool unpacks = q.source.layout == Layout::packed && q.target.layout == Layout::plain;
  const bool packs = q.source.layout == Layout::plain && q.target.layout == Layout::packed;
  if (unpacks) route.steps.push_back(step(StepKind::unpack, latent.space, latent.space, size));
  add_arithmetic(route, latent.space, latent.units, q.target.units.value_or(latent.units), size);
  if (packs) route.steps.push_back(step(StepKind::pack, route.space, route.space, size));
  route.reason = both_sides(q);
  if (verdict(route) == Verdict::same) {
    route.reason += " The same numbers.";
  } else if (verdict(route) == Verdict::repack) {
    route.reason += " The same numbers in another order.";
  } else {
    route.reason += " The same VAE's values by other numbers: exact arithmetic.";
  }
  return route;
}

/// Why other spaces are other spaces, in plain words.
std::string difference(const Question& q) {
  const Space& from = q.source.passport.space;
  const Space& to = q.target.space;
  if (shares_values(q)) return "Another size takes a decode and an encode.";
  if (from.channels != to.channels) return "Different spaces, and different counts of channels.";
  return "Different spaces: the channels are as many, what they mean is not the same.";
}

/// " with digest 0123456789ab", where a latent records one.
std::string digest_text(const Passport& latent) {
  return latent.vae_sha256.empty() ? "" : " with digest " + latent.vae_sha256.substr(0, shown_digits);
}

bool has(const Available& available, StepNeed need) {
  switch (need) {
    case StepNeed::own_decoder: return available.own_decoder;
    case StepNeed::target_encoder: return available.target_encoder;
    case StepNeed::target_decoder: return available.target_decoder;
  }
  throw Error(ErrorKind::internal, "a need that nobody has");
}

Route refused_for_lack(const Question& q, StepNeed need) {
  const RouteTarget& to = q.target;
  const std::string size = size_option(q);
  switch (need) {
    case StepNeed::own_decoder:
      return refusal(q,
                     difference(q) + " The VAE decoder of " + space_name(q.source.passport.space) +
                         digest_text(q.source.passport) + " is not at hand.",
                     "Name the model or folder that it came from: " +
                         convert_line(q, shell_word(to.name), size + marked(" {from} MODEL")));
    case StepNeed::target_encoder:
      return refusal(q, difference(q) + " " + to.name + " has no VAE encoder at hand.",
                     "Name a model of that space with a VAE encoder: " + convert_line(q, "MODEL", size));
    case StepNeed::target_decoder:
      return refusal(q, difference(q) + " " + to.name + " has no VAE decoder at hand to measure by.",
                     "Name a model of that space with a VAE decoder: " + convert_line(q, "MODEL", size));
  }
  throw Error(ErrorKind::internal, "a need that nobody has");
}

/// The steps through a picture.
Route through_picture(const Question& q) {
  const Passport& latent = q.source.passport;
  const Space& from = latent.space;
  const Space decoder = q.source.decoder_space.value_or(from);
  const Space encoder = q.target.encoder_space.value_or(q.target.space);
  const PixelSize own = picture_size(latent);
  const PixelSize size = wanted_size(q);
  Route route;
  route.space = q.target.space;
  route.size = size;
  const auto add = [&](StepKind kind, const Space& before, const Space& after, PixelSize sized) {
    route.steps.push_back(step(kind, before, after, sized));
  };
  if (q.source.layout == Layout::packed) add(StepKind::unpack, from, from, own);
  if (latent.units == Units::vae) add(StepKind::to_model, from, from, own);
  add(StepKind::decode, from, decoder, own);
  if (resizes(q)) add(StepKind::resize, decoder, decoder, size);
  add(StepKind::encode, encoder, route.space, size);
  if (q.options.measure || q.options.compensate) add(StepKind::measure, encoder, encoder, size);
  if (q.options.compensate) add(StepKind::compensate, encoder, encoder, size);
  add_arithmetic(route, encoder, Units::model, q.target.units.value_or(Units::model), size);
  if (q.target.layout == Layout::packed) add(StepKind::pack, route.space, route.space, size);
  route.reason = both_sides(q) + " " + difference(q);
  return route;
}

Route transcoding(const Question& q) {
  if (!q.options.may_convert) {
    return refusal(q, difference(q), "Convert it: " + convert_line(q, shell_word(q.target.name), size_option(q)));
  }
  Route route = through_picture(q);
  for (const RouteStep& planned : route.steps) {
    for (const StepNeed need : step_row(planned.kind).needs) {
      if (!has(q.available, need)) return refused_for_lack(q, need);
    }
  }
  return route;
}

}  // namespace

Route plan_route(const RouteSource& source, const RouteTarget& target, const Available& available,
                 const RouteOptions& options) {
  const Question q{source, target, available, options};
  for (const auto& refused : {refused_as_contradictory, refused_by_digest, refused_as_unfinished, refused_by_size}) {
    if (std::optional<Route> route = refused(q)) return *route;
  }
  return shares_values(q) && !resizes(q) ? exact(q) : transcoding(q);
}

}  // namespace lapis::core
