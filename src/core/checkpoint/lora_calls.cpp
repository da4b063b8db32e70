#include "core/checkpoint/lora_calls.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

/// All of `text` as a number, which may be infinite or NaN.
std::optional<double> any_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc::result_out_of_range && stop == end) return std::nan("");
  if (code != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

[[noreturn]] void refuse_call(const std::string& text) { throw Error(ErrorKind::usage, text); }

double tag_weight(std::string_view text) {
  const std::optional<double> weight = any_number(text);
  if (weight && std::isfinite(*weight)) return *weight;
  refuse_call(sentence("the weight \"{}\" is no number; write it as in <lora:name:0.8>", text));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    pieces.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return pieces;
}

}  // namespace

LoraCall parse_lora_argument(std::string_view text) {
  LoraCall call{std::string(text), {}};
  const std::size_t colon = text.rfind(':');
  const std::optional<double> weight =
      colon == std::string_view::npos ? std::nullopt : any_number(text.substr(colon + 1));
  if (weight) {
    if (!std::isfinite(*weight)) {
      refuse_call(
          sentence("{loras} is \"{}\"; expected a weight that is a finite number, as in style.safetensors:0.8", text));
    }
    call = {std::string(text.substr(0, colon)), {*weight, *weight}};
  }
  if (call.name.empty()) {
    refuse_call(sentence("{loras} is \"{}\"; expected FILE or FILE:WEIGHT, as in style.safetensors:0.8", text));
  }
  return call;
}

LoraCall parse_lora_tag(std::string_view text) {
  const std::vector<std::string_view> pieces = split(text, ':');
  LoraCall call{std::string(pieces.front()), {}};
  if (call.name.empty()) refuse_call("a LoRA needs a name; write it as in <lora:name:0.8>");
  std::vector<double> weights;
  std::optional<double> text_encoder;
  std::optional<double> denoiser;
  for (const std::string_view piece : std::span(pieces).subspan(1)) {
    if (piece.starts_with("te=")) {
      text_encoder = tag_weight(piece.substr(3));
    } else if (piece.starts_with("unet=")) {
      denoiser = tag_weight(piece.substr(5));
    } else if (piece.find('=') != std::string_view::npos || weights.size() == 2) {
      refuse_call(
          sentence("\"{}\" is nothing that lapis reads there; write <lora:name:weight> or <lora:name:text "
                   "encoder's:unet's>",
                   piece));
    } else {
      weights.push_back(tag_weight(piece));
    }
  }
  call.weight.text_encoder = text_encoder.value_or(weights.empty() ? 1 : weights.front());
  call.weight.denoiser = denoiser.value_or(weights.size() == 2 ? weights.back() : call.weight.text_encoder);
  return call;
}

std::string lora_argument(std::string_view name, double weight) {
  return std::string(name) + ":" + number_text(weight);
}

std::string lora_tag(std::string_view name, const LoraWeight& weight) {
  std::string text = "<lora:" + std::string(name) + ":" + number_text(weight.text_encoder);
  if (weight.denoiser != weight.text_encoder) text += ":" + number_text(weight.denoiser);
  return text + ">";
}

}  // namespace lapis::core
