#include "core/model/part_probe.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <string_view>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

// A place in the middle of the schedule, and no edge case of any network.
constexpr double middle_time = 500;
constexpr double middle_sigma = 0.5;
constexpr double usual_guidance = 3.5;

const FamilyRow& family_of(const Model& model) {
  const FamilyRow* family = find_family(model.family);
  if (family == nullptr) throw Error(ErrorKind::internal, "a probe of a family that is not known");
  return *family;
}

std::int64_t tokens_of(const Model& model, const std::string& part) {
  const bool flux = family_of(model).architecture == Architecture::flux;
  const bool second = part == "text_encoder_2" || (part == "denoiser" && flux);
  return model.tokenizers.at(second ? "tokenizer_2" : "tokenizer").length;
}

/// A number that stands in the outputs of a part that was probed before.
std::optional<std::int64_t> known_size(const Model& model, const PortSize& place) {
  const auto part = model.parts.find(place.part);
  if (part == model.parts.end()) return std::nullopt;
  for (const Port& port : part->second.outputs) {
    if (port.name != place.port || place.index >= port.shape.size()) continue;
    const auto* number = std::get_if<std::int64_t>(&port.shape[place.index]);
    if (number != nullptr) return *number;
  }
  return std::nullopt;
}

/// A width that other parts decide (FamilyRow::shared_sizes); none where this one is not of them, or they are not
/// known.
std::optional<std::int64_t> shared_size(const Model& model, const std::string& part, const Port& port,
                                        std::size_t index) {
  for (const SharedSize& shared : family_of(model).shared_sizes) {
    if (shared.sum.part != part || shared.sum.port != port.name || shared.sum.index != index) continue;
    std::optional<std::int64_t> sum = 0;
    for (const PortSize& term : shared.terms) {
      const std::optional<std::int64_t> size = known_size(model, term);
      sum = size && sum ? std::optional(*sum + *size) : std::nullopt;
    }
    if (sum) return sum;
  }
  return std::nullopt;
}

/// What a word stands for in a probe; none for a word that only the part itself knows.
std::optional<std::int64_t> word_size(const Model& model, const std::string& part, std::string_view word,
                                      const ProbePictures& pictures) {
  const int cell = part == "vae_encoder" ? 1 : model.space.downscale;
  const int token = model.space.downscale * family_of(model).patch;
  const std::int64_t image_tokens = std::int64_t{pictures.width / token} * (pictures.height / token);
  if (word == "batch") return pictures.batch;
  if (word == "height") return pictures.height / cell;
  if (word == "width" && part != "text_encoder" && part != "text_encoder_2") return pictures.width / cell;
  if (word == "tokens" || word == "text_tokens") return tokens_of(model, part);
  if (word == "image_tokens") return image_tokens;
  if (word == "all_tokens") return tokens_of(model, part) + image_tokens;
  if (word == "head_dim") {
    const std::vector<int>& axes = model.conditioning.rope_axes;
    return std::accumulate(axes.begin(), axes.end(), std::int64_t{0});
  }
  return std::nullopt;
}

/// A size that an output must have: a number, a word, or one of "8*height" and "height/8".
std::optional<std::int64_t> wanted_size(const Model& model, const std::string& part, const Dimension& dimension,
                                        const ProbePictures& pictures) {
  if (const auto* number = std::get_if<std::int64_t>(&dimension)) return *number;
  const std::string_view text = std::get<std::string>(dimension);
  std::int64_t factor = 1;
  if (const std::size_t star = text.find('*'); star != std::string_view::npos) {
    std::from_chars(text.data(), text.data() + star, factor);
    const auto size = word_size(model, part, text.substr(star + 1), pictures);
    return size ? std::optional(*size * factor) : std::nullopt;
  }
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    std::from_chars(text.data() + slash + 1, text.data() + text.size(), factor);
    const auto size = word_size(model, part, text.substr(0, slash), pictures);
    return size ? std::optional(*size / factor) : std::nullopt;
  }
  return word_size(model, part, text, pictures);
}

std::string wanted_text(const Model& model, const std::string& part, const Port& port, const ProbePictures& pictures) {
  std::vector<std::string> sizes;
  for (const Dimension& dimension : port.shape) {
    const auto size = wanted_size(model, part, dimension, pictures);
    sizes.push_back(size ? std::to_string(*size) : std::get<std::string>(dimension));
  }
  return sentence("{} [{}]", port.name, joined(sizes));
}

/// The shapes of some inputs or outputs, listed.
std::string shapes_text(const auto& tensors) {
  std::vector<std::string> shapes;
  for (const auto& tensor : tensors) shapes.push_back(shape_text(tensor.shape));
  return joined(shapes);
}

bool fits(const Model& model, const std::string& part, const Port& port, const ProbePictures& pictures,
          const std::vector<std::int64_t>& shape) {
  if (shape.size() != port.shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto wanted = wanted_size(model, part, port.shape[i], pictures);
    if (wanted ? *wanted != shape[i] : shape[i] < 1) return false;
  }
  return true;
}

std::optional<double> usual_value(const Model& model, const std::string& name) {
  const bool flow = family_of(model).architecture == Architecture::flux;
  if (name == "timestep") return flow ? middle_sigma : middle_time;
  if (name == "guidance") return usual_guidance;
  if (name == "time_ids") return model.defaults.width;
  return std::nullopt;
}

}  // namespace

std::string pictures_text(const ProbePictures& pictures) {
  return sentence("{} of {} x {}", count_text(static_cast<std::uint64_t>(pictures.batch), "picture"), pictures.width,
                  pictures.height);
}

std::vector<ProbeInput> probe_inputs(const Model& model, const std::string& part, const std::vector<Port>& inputs,
                                     const ProbePictures& pictures) {
  std::vector<ProbeInput> made;
  for (const Port& port : inputs) {
    ProbeInput input{port.dtype, {}, usual_value(model, port.name)};
    for (std::size_t i = 0; i < port.shape.size(); ++i) {
      std::optional<std::int64_t> size = shared_size(model, part, port, i);
      if (!size) size = wanted_size(model, part, port.shape[i], pictures);
      if (!size) throw Error(ErrorKind::internal, sentence("{}: nothing tells how wide {} is", part, port.name));
      input.shape.push_back(*size);
    }
    made.push_back(std::move(input));
  }
  return made;
}

std::optional<std::string> probe_fault(const Model& model, const std::string& part, const std::vector<Port>& outputs,
                                       const ProbePictures& pictures, const std::vector<ProbeInput>& inputs,
                                       const ProbeResult& result) {
  if (!result.fault.empty()) return sentence("does not run on {}: {}", shapes_text(inputs), result.fault);
  std::vector<std::string> texts;
  for (const Port& port : outputs) texts.push_back(wanted_text(model, part, port, pictures));
  const std::string wanted = joined(texts);
  if (result.outputs.empty()) {
    return sentence("gives back no tensors; wanted {}, as one tensor or a tuple of tensors", wanted);
  }
  if (result.outputs.size() != outputs.size()) {
    return sentence("gives back {}, {}; wanted {}: {}", count_text(result.outputs.size(), "tensor"),
                    shapes_text(result.outputs), outputs.size(), wanted);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const ProbeOutput& output = result.outputs[i];
    if (!fits(model, part, outputs[i], pictures, output.shape)) {
      return sentence("gives back {} as {}; wanted {}", shape_text(output.shape), outputs[i].name, texts[i]);
    }
    if (!output.floating) return sentence("gives back whole numbers as {}; wanted floating ones", outputs[i].name);
    if (!output.finite) return sentence("gives back NaN or Inf as {}", outputs[i].name);
  }
  return std::nullopt;
}

std::vector<Port> inferred_outputs(const std::vector<Port>& outputs, const ProbeResult& result) {
  constexpr std::array<std::string_view, 3> own = {"layers", "width", "pooled_width"};
  std::vector<Port> inferred = outputs;
  for (std::size_t i = 0; i < std::min(inferred.size(), result.outputs.size()); ++i) {
    // The width of a picture is not its part's own.
    const bool picture = inferred[i].shape.size() == 4 && inferred[i].shape[0] == Dimension("batch");
    for (std::size_t k = 0; k < inferred[i].shape.size() && !picture; ++k) {
      const auto* word = std::get_if<std::string>(&inferred[i].shape[k]);
      if (word != nullptr && std::find(own.begin(), own.end(), *word) != own.end()) {
        inferred[i].shape[k] = result.outputs[i].shape.at(k);
      }
    }
  }
  return inferred;
}

std::vector<Port> inferred_inputs(const Model& model, const std::string& part, const std::vector<Port>& inputs) {
  std::vector<Port> inferred = inputs;
  for (Port& port : inferred) {
    for (std::size_t i = 0; i < port.shape.size(); ++i) {
      if (const auto size = shared_size(model, part, port, i)) port.shape[i] = *size;
    }
  }
  return inferred;
}

}  // namespace lapis::core
