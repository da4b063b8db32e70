// The made-up inputs on which a part is probed before it is taken into a model, and what is wrong with its outputs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/family/families.hpp"
#include "lapis/model.hpp"
#include "lapis/probe.hpp"

namespace lapis::core {

/// The pictures a part is probed for. Width and height are pixels, multiples of the family's size_multiple.
struct ProbePictures {
  int batch = 1;
  int width = 64;
  int height = 64;
};

/// Those pictures in words: "1 picture of 64 x 64".
std::string pictures_text(const ProbePictures& pictures);

/// The inputs of `part`, which has the ports of a row of its family, for these pictures. `model` has family, space,
/// conditioning and tokenizers, and the parts that were probed before with the sizes of their outputs: the text
/// encoders come before a denoiser, whose context they make.
std::vector<ProbeInput> probe_inputs(const Model& model, const std::string& part, const std::vector<Port>& inputs,
                                     const ProbePictures& pictures);

/// What is wrong with `result` against the ports that a family wants, in words that follow the file's name; none if
/// nothing is. Counts, kinds and shapes are compared, and every number must be finite.
std::optional<std::string> probe_fault(const Model& model, const std::string& part, const std::vector<Port>& outputs,
                                       const ProbePictures& pictures, const std::vector<ProbeInput>& inputs,
                                       const ProbeResult& result);

/// `outputs` with the sizes that a probe has shown in place of the words that are the part's own: layers and widths.
std::vector<Port> inferred_outputs(const std::vector<Port>& outputs, const ProbeResult& result);

/// `inputs` of a denoiser with the widths of its context, as far as the text encoders of `model` tell them.
std::vector<Port> inferred_inputs(const Model& model, const std::string& part, const std::vector<Port>& inputs);

}  // namespace lapis::core
