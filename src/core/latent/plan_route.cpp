#include "core/latent/plan_route.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
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

/// A file to write that is not the one that is read.
std::string result_word(const std::string& file) {
  const std::string last = file.substr(file.find_last_of('/') + 1);
  return last == "b.safetensors" ? "c.safetensors" : "b.safetensors";
}

/// The line "convert a.safetensors --to tiny-sdxl -o b.safetensors", with `options` before its output.
std::string convert_line(const Question& q, const std::string& to, const std::string& options = "") {
  return sentence("{lapis convert} {} {to} {}{} {-output} {}", file_word(q.source.name), to, options,
                  result_word(q.source.name));
}

std::string side_text(const Space& space) { return sentence("{} ({})", space_name(space), space_numbers(space)); }

/// Source and target with the numbers of their spaces: every reason begins with it.
std::string both_sides(const Question& q) {
  if (q.source.passport.space == q.target.space) {
    return sentence("{} and {} are both of space {}.", q.source.name, q.target.name,
                    side_text(q.source.passport.space));
  }
  return sentence("{} is in space {}; {} wants {}.", q.source.name, side_text(q.source.passport.space), q.target.name,
                  side_text(q.target.space));
}

/// " --size 64x48" as `convert` takes it, where there is a size.
std::string size_option(const std::optional<PixelSize>& size) {
  return size ? sentence(" {size} {}x{}", size->width, size->height) : "";
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
  route.reason = sentence("{} {}", both_sides(q), why);
  route.advice = std::move(advice);
  route.size = wanted_size(q);
  return route;
}

std::optional<Route> refused_as_contradictory(const Question& q) {
  const Space& from = q.source.passport.space;
  const Space& to = q.target.space;
  if (q.source.passport.shape[1] != 0 && q.source.passport.shape[1] != from.channels) {
    return refusal(q,
                   sentence("{} contradicts itself: it holds {} channels, its space has {}.", q.source.name,
                            q.source.passport.shape[1], from.channels),
                   sentence("Write it again with the program that made it; {lapis inspect} {} shows what it holds",
                            file_word(q.source.name)));
  }
  if (from.lineage.empty() || to.lineage.empty()) {
    return refusal(q,
                   sentence("Nothing says which training {} comes from, and numbers alone do not make two VAEs the "
                            "same.",
                            to.lineage.empty() ? q.target.name : q.source.name),
                   sentence("Name it where it can be said: {space} ID:LINEAGE for a latent, model.json for a VAE"));
  }
  if (from.lineage == to.lineage && !same_values(from, to)) {
    return refusal(
        q, sentence("One VAE cannot have both shapes: the name {} stands for two different ones.", from.lineage),
        sentence(
            "Rename the lineage of the one that is not {}: {space} ID:LINEAGE for a latent, model.json for a model",
            from.lineage));
  }
  return std::nullopt;
}

std::optional<Route> refused_by_digest(const Question& q) {
  const std::string& made_by = q.source.passport.vae_sha256;
  const std::string& met = q.target.vae_sha256;
  if (made_by.empty() || met.empty() || made_by == met || !shares_values(q)) return std::nullopt;
  if (q.target.has_vae && q.target.has_vae(made_by)) return std::nullopt;
  return refusal(q,
                 sentence("The names agree, the VAEs do not: the latent comes from the one with digest {}, {} has {}; "
                          "one of the two is not what it was.",
                          made_by.substr(0, shown_digits), q.target.name, met.substr(0, shown_digits)),
                 sentence("Get back the VAE that made it, or make the latent again; {lapis inspect} MODEL {verify} "
                          "finds a model whose files have changed"));
}

const char* path_text(Path path) { return path == Path::flow ? "a flow path" : "a variance-exploding path"; }

std::optional<Route> refused_as_partial(const Question& q) {
  if (q.source.passport.sigma == 0) return std::nullopt;
  const RouteTarget& to = q.target;
  std::string why;
  if (!same_numbers(q.source.passport.space, to.space)) {
    why = "noise is never carried into another space";
  } else if (!to.resumes) {
    why = sentence("{} takes finished latents alone", to.name);
  } else if (to.path != q.source.passport.path) {
    why =
        sentence("it was left on {}, {} samples on {}", path_text(q.source.passport.path), to.name, path_text(to.path));
  } else if (resizes(q)) {
    why = sentence("noise has no other size: {} pixels cannot become {}", size_text(picture_size(q.source.passport)),
                   size_text(wanted_size(q)));
  } else {
    return std::nullopt;
  }
  return refusal(q,
                 sentence("{} is partially denoised, at sigma {} after {}: {}.", q.source.name,
                          number_text(q.source.passport.sigma),
                          count_text(static_cast<std::uint64_t>(q.source.passport.step), "step"), why),
                 sentence("Finish it first: {lapis generate} {init_latent} {} {latent} {}", file_word(q.source.name),
                          result_word(q.source.name)));
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
  return refusal(
      q, sentence("The picture would be {} pixels; there, sides are multiples of {}.", size_text(size), unit),
      sentence("Give it a size that fits: {}", convert_line(q, shell_word(q.target.name), size_option(good))));
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

/// The route between spaces of the same raw values: nothing to do, or exact arithmetic, or another order.
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
  const char* const sameness = verdict(route) == Verdict::same     ? "The same numbers."
                               : verdict(route) == Verdict::repack ? "The same numbers in another order."
                                                                   : "The same VAE's values by other numbers: exact "
                                                                     "arithmetic.";
  route.reason = sentence("{} {}", both_sides(q), sameness);
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
  return latent.vae_sha256.empty() ? "" : sentence(" with digest {}", latent.vae_sha256.substr(0, shown_digits));
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
  const std::string size = size_option(q.target.size);
  switch (need) {
    case StepNeed::own_decoder:
      return refusal(q,
                     sentence("{} The VAE decoder of {}{} is not at hand.", difference(q),
                              space_name(q.source.passport.space), digest_text(q.source.passport)),
                     sentence("Name the model or folder that it came from: {}",
                              convert_line(q, shell_word(to.name), sentence("{} {from} MODEL", size))));
    case StepNeed::target_encoder:
      return refusal(q, sentence("{} {} has no VAE encoder at hand.", difference(q), to.name),
                     sentence("Name a model of that space with a VAE encoder: {}", convert_line(q, "MODEL", size)));
    case StepNeed::target_decoder:
      return refusal(q, sentence("{} {} has no VAE decoder at hand to measure by.", difference(q), to.name),
                     sentence("Name a model of that space with a VAE decoder: {}", convert_line(q, "MODEL", size)));
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
  route.reason = sentence("{} {}", both_sides(q), difference(q));
  return route;
}

Route transcoding(const Question& q) {
  if (!q.options.may_convert) {
    const std::string line = convert_line(q, shell_word(q.target.name), size_option(q.target.size));
    return refusal(q, difference(q), sentence("Convert it: {}", line));
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
  for (const auto& refused : {refused_as_contradictory, refused_by_digest, refused_as_partial, refused_by_size}) {
    if (std::optional<Route> route = refused(q)) return *route;
  }
  return shares_values(q) && !resizes(q) ? exact(q) : transcoding(q);
}

}  // namespace lapis::core
