#include "io/checkpoint/peft_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "core/checkpoint/lora_kinds.hpp"
#include "core/checkpoint/peft_config.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr double largest_alpha = 1e9;
constexpr std::int64_t largest_rank = 1'000'000;
constexpr double peft_default = 8;
constexpr std::array<std::string_view, 5> part_prefixes = {"unet", "transformer", "text_encoder", "text_encoder_2", ""};

/// Whether a value is null, false, empty or "none".
bool says_nothing(const nlohmann::json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_string()) return value.get_ref<const std::string&>().empty() || value == "none";
  return value.is_null() || (value.is_structured() && value.empty());
}

/// One part's settings.
class Reader {
 public:
  Reader(const nlohmann::ordered_json& document, const nlohmann::json& checked, const JsonSource& source,
         std::string_view part)
      : ordered_(document),
        document_(checked),
        settings_(document_, source),
        source_(source),
        part_(part),
        lead_(part.empty() ? "" : std::string(part) + ".") {}

  std::optional<core::PeftScale> scale() const {
    if (!has("r") && !has("peft_type")) return std::nullopt;
    core::PeftScale scale;
    scale.part = part_;
    if (has("r")) scale.rank = at("r").integer(1, largest_rank);
    scale.alpha = has("lora_alpha") ? at("lora_alpha").number(-largest_alpha, largest_alpha)
                  : has("alpha")    ? at("alpha").number(-largest_alpha, largest_alpha)
                                    : peft_default;
    scale.by_root = has("use_rslora") && at("use_rslora").truth();
    scale.dora = has("use_dora") && at("use_dora").truth();
    scale.bias = has("lora_bias") && at("lora_bias").truth();
    scale.alphas = patterns("alpha_pattern", -largest_alpha, largest_alpha);
    scale.ranks = patterns("rank_pattern", 1, largest_rank);
    check_kind();
    return scale;
  }

  /// Refuses what a key says, or counts it among those that nobody knows.
  void check(const std::string& name, core::Listing& unknown) const {
    const core::PeftKey* row = core::peft_key(name);
    const nlohmann::json& value = document_.at(lead_ + name);
    if (row == nullptr) {
      if (!says_nothing(value)) core::append(unknown, printable(lead_ + name));
    } else if (row->effect == core::PeftEffect::refused && !says_nothing(value)) {
      refuse(lead_ + name, std::string(row->why));
    }
  }

 private:
  bool has(const std::string& key) const {
    const auto found = document_.find(lead_ + key);
    return found != document_.end() && !found->is_null();
  }

  JsonValue at(const std::string& key) const { return settings_.at(lead_ + key); }

  core::PeftPatterns patterns(const std::string& name, double low, double high) const {
    core::PeftPatterns read;
    if (!has(name)) return read;
    at(name).members();                                                     // an object it is
    for (const auto& [key, ignored] : ordered_.at(lead_ + name).items()) {  // the first in the file counts
      const double number = at(name).at(key).number(low, high);
      try {
        read.add(key, number);
      } catch (const Error& error) {
        refuse(lead_ + name, core::sentence("the pattern {} {}", in_quotes(key), error.marked_problem()));
      }
    }
    return read;
  }

  void check_kind() const {
    const std::string kind = has("peft_type") ? core::foreign_peft_type(at("peft_type").text()) : "";
    if (!kind.empty()) refuse(lead_ + "peft_type", core::sentence("it is of the kind {}", kind));
    if (!has("init_lora_weights") || !at("init_lora_weights").is_text()) return;
    const std::string why = core::peft_beginning(at("init_lora_weights").text());
    if (!why.empty()) refuse(lead_ + "init_lora_weights", why);
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& why) const {
    throw Error(source_.kind,
                core::sentence("{}, {}: {}, which lapis does not apply.", source_.file, printable(key), why),
                "Take or save a plain LoRA, LoHa or LoKr "
                "(of PiSSA and its like, peft saves one by path_initial_model_for_weight_conversion)");
  }

  const nlohmann::ordered_json& ordered_;
  const nlohmann::json& document_;
  JsonValue settings_;
  const JsonSource& source_;
  std::string_view part_;
  std::string lead_;
};

}  // namespace

PeftSettings read_peft_settings(std::string_view text, const std::string& what) {
  const JsonSource source{what, ErrorKind::input, "Correct it, or fetch the LoRA again", 4U << 20U};
  const nlohmann::json document = parse_json(text, source);
  if (!document.is_object()) JsonValue(document, source).fail("is no object");
  const nlohmann::ordered_json ordered = nlohmann::ordered_json::parse(text);
  PeftSettings settings;
  for (const std::string_view part : part_prefixes) {
    if (auto scale = Reader(ordered, document, source, part).scale()) settings.scales.push_back(std::move(*scale));
  }
  for (const auto& [key, value] : document.items()) {
    const auto part = std::ranges::find_if(part_prefixes, [&, &key = key](std::string_view each) {
      return !each.empty() && key.starts_with(std::string(each) + ".");
    });
    const bool whole = part == part_prefixes.end();
    const std::string name = whole ? key : key.substr(part->size() + 1);
    Reader(ordered, document, source, whole ? "" : *part).check(name, settings.unknown);
  }
  return settings;
}

}  // namespace lapis::io
