#include "io/picture/infotext.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <variant>

#include "core/checkpoint/lora_calls.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

constexpr std::string_view negative_label = "Negative prompt:";
constexpr std::size_t fewest_settings = 3;
constexpr std::string_view blanks = " \t\n\r\v\f";

/// What the web UI leaves out, and means by leaving it out.
bool is_silent(std::string_view key, const core::FieldValue& value) {
  if (key == "clip_skip")
    return value == core::FieldValue(std::int64_t{1}) || value == core::FieldValue(std::int64_t{0});
  if (key == "prompt_syntax") return value == core::FieldValue(std::string("plain"));
  return key == "embeddings" && value == core::FieldValue(std::vector<std::string>{});
}

/// Keys in the order in which the web UI and Forge write them; readers look for "Steps:" at the beginning of the line.
/// Keys that are not here stand behind, as extensions' do, and the program's version ends the line.
constexpr std::array<std::string_view, 13> key_order = {
    "Steps",      "Sampler", "Schedule type", "CFG scale",          "Distilled CFG Scale", "Seed", "Size",
    "Model hash", "Model",   "VAE hash",      "Denoising strength", "Clip skip",           "RNG"};

std::ptrdiff_t rank(const std::pair<std::string, std::string>& setting) {
  return std::ranges::find(key_order, setting.first) - key_order.begin();
}

/// "name: hash, name: hash", with as much of each hash as the web UI shows.
template <class Named>
std::string hashes_of(std::span<const Named> files, std::string Named::*hash) {
  constexpr std::size_t shown = 12;
  std::vector<std::string> hashes;
  for (const Named& file : files) hashes.push_back(file.name + ": " + (file.*hash).substr(0, shown));
  return core::joined(hashes);
}

struct ValueText {
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return core::number_text(number); }
  std::string operator()(const std::vector<std::string>&) const { return hashes; }

  std::string hashes;  ///< of the files that a list of names stands for
};

/// The web UI's word for a sampler or a schedule; any other value as it is.
core::FieldValue labelled(std::string_view key, const core::FieldValue& value) {
  const auto* name = std::get_if<std::string>(&value);
  if (name == nullptr) return value;
  const auto label_in = [&](const auto& rows) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == *name; });
    return found == rows.end() ? *name : std::string(found->label);
  };
  if (key == "sampler") return label_in(core::samplers());
  if (key == "schedule") return label_in(core::schedules());
  return value;
}

/// The web UI's key of a field; empty where it has none.
std::string a1111_key(std::string_view name) {
  const std::span<const core::JobField> rows = core::job_fields();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const core::JobField& row) { return row.key == name; });
  return found == rows.end() ? std::string() : std::string(found->a1111);
}

std::string quoted_where_needed(const std::string& value) {
  const bool edge = value.empty() || value.front() == '"' || core::stripped(value).size() != value.size();
  if (!edge && value.find_first_of(",:\n") == std::string::npos) return value;
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// What a JSON string stands for; any other text as it is.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  const nlohmann::json read = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return read.is_string() ? read.get<std::string>() : std::string(text);
}

bool is_word(char c) {
  const bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  return ascii || static_cast<unsigned char>(c) >= 0x80;
}

bool is_key_character(char c) { return is_word(c) || c == ' ' || c == '-' || c == '/'; }

std::ptrdiff_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

/// Takes what comes before the next value from `line`: a key [word][word, blank, - or /]+ and its colon, or what is
/// none. Gives the key, "" for what is none.
std::string_view take_key(std::string_view& line) {
  std::size_t length = 0;
  while (length < line.size() && is_key_character(line[length])) ++length;
  std::string_view key = line.substr(0, length);
  const bool named = length < line.size() && line[length] == ':';
  line.remove_prefix(std::min(length + 1, line.size()));
  while (!key.empty() && !is_word(key.front())) key.remove_prefix(1);
  return named && characters(key) >= 2 ? key : std::string_view();
}

/// The length of the quoted string that `text` begins with and a comma or the end follows, 0 where there is none.
std::size_t quoted_length(std::string_view text) {
  if (!text.starts_with('"')) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      const bool closes = i > 1 && (i + 1 == text.size() || text[i + 1] == ',');
      return closes ? i + 1 : 0;
    }
  }
  return 0;
}

/// Every "Key: value" of a line, whatever lies between them.
std::vector<std::pair<std::string, std::string>> settings_of(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> settings;
  while (!line.empty()) {
    const std::string_view key = take_key(line);
    if (key.empty()) continue;
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::size_t quoted = quoted_length(line);
    const std::string_view value = line.substr(0, quoted > 0 ? quoted : line.find(','));
    line.remove_prefix(std::min(value.size() + 1, line.size()));
    settings.emplace_back(key, unquoted(value));
  }
  return settings;
}

bool has_negative_line(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (core::stripped(line).starts_with(negative_label)) return true;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return false;
}

bool has_field(std::span<const std::pair<std::string, core::FieldValue>> fields, std::string_view name) {
  return std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
}

/// Adds a setting, in UTF-8. A key that is there already is one of the second pass and gets "Hires" before it; the
/// second "Size" is the height.
void add_setting(Infotext& infotext, const std::string& key, const std::string& text) {
  const std::string value = utf8_text(text);
  const auto known = std::ranges::find(infotext.settings, key, &std::pair<std::string, std::string>::first);
  if (known == infotext.settings.end()) {
    infotext.settings.emplace_back(key, value);
  } else if (key == "Size") {
    known->second += "x" + value;
  } else {
    infotext.settings.emplace_back("Hires " + key, value);
  }
}

void append_line(std::string_view line, std::string& text) {
  if (!text.empty()) text += '\n';
  text += line;
}

}  // namespace

Infotext infotext_of(std::span<const std::pair<std::string, core::FieldValue>> fields,
                     std::span<const Embedding> embeddings, std::span<const Lora> loras, const WeightHashes& hashes,
                     const std::string& version) {
  Infotext infotext;
  // Forge's words: a guidance that the denoiser reads as a number is distilled, the weight of two passes is the scale.
  const bool distilled = has_field(fields, "true_guidance");
  for (const auto& [name, found] : fields) {
    if (const auto* text = std::get_if<std::string>(&found)) {
      if (name == "prompt") infotext.prompt = *text;
      if (name == "negative_prompt") infotext.negative_prompt = *text;
    }
    const std::string key = distilled && name == "guidance" ? "Distilled CFG Scale" : a1111_key(name);
    const bool of_loras = name == "loras";
    if (key.empty() || is_silent(name, found) || (of_loras && loras.empty())) continue;
    const std::string of_files =
        of_loras ? hashes_of(loras, &Lora::data_sha256) : hashes_of(embeddings, &Embedding::sha256);
    add_setting(infotext, key, std::visit(ValueText{of_files}, labelled(name, found)));
  }
  for (const Lora& lora : loras) {
    if (!lora.in_prompt) infotext.prompt += " " + core::lora_tag(lora.name, {lora.text_encoder, lora.denoiser});
  }
  if (!hashes.model.empty()) add_setting(infotext, "Model hash", hashes.model);
  if (!hashes.vae.empty()) add_setting(infotext, "VAE hash", hashes.vae);
  add_setting(infotext, "RNG", "CPU");
  std::ranges::stable_sort(infotext.settings, {}, rank);
  add_setting(infotext, "Version", version);
  return infotext;
}

Infotext infotext_of(const ResolvedJob& job, const Model& model, const Attachments& attachments,
                     const WeightHashes& hashes, const std::string& version) {
  return infotext_of(core::resolved_fields(job, model), attachments.embeddings, attachments.loras, hashes, version);
}

std::string write_infotext(const Infotext& infotext) {
  std::string text = infotext.prompt;
  if (!infotext.negative_prompt.empty()) {
    text += "\n" + std::string(negative_label) + " " + infotext.negative_prompt;
  }
  std::vector<std::string> settings;
  for (const auto& [key, value] : infotext.settings) settings.push_back(key + ": " + quoted_where_needed(value));
  if (!settings.empty()) text += "\n" + core::joined(settings);
  return std::string(core::stripped(text));
}

Infotext parse_infotext(std::string_view text) {
  text = core::stripped(text);
  Infotext infotext;
  const std::size_t last_break = text.rfind('\n');
  const std::size_t last_line = last_break == std::string_view::npos ? 0 : last_break + 1;
  infotext.settings = settings_of(text.substr(last_line));
  if (infotext.settings.size() >= fewest_settings) {
    text = text.substr(0, last_line);
  } else {
    infotext.settings.clear();
  }
  bool negative = false;
  while (!text.empty()) {
    const std::string_view whole_line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole_line.size() + 1, text.size()));
    std::string_view line = core::stripped(whole_line);
    if (line.starts_with(negative_label)) {
      negative = true;
      line = core::stripped(line.substr(negative_label.size()));
    }
    append_line(line, negative ? infotext.negative_prompt : infotext.prompt);
  }
  return infotext;
}

std::optional<std::string> infotext_warning(const Infotext& infotext) {
  const Infotext read = parse_infotext(write_infotext(infotext));
  if (read == infotext) return std::nullopt;
  const auto reason = [&]() -> std::string {
    if (has_negative_line(infotext.prompt) || has_negative_line(infotext.negative_prompt)) {
      return core::sentence("a line of the prompt begins \"{}\"", negative_label);
    }
    if (read.settings != infotext.settings) return "the end of the prompt reads as settings";
    return "the prompt has blanks or empty lines that they drop";
  };
  return core::sentence("readers of the picture's settings will not get them back as they are: {}", reason());
}

}  // namespace lapis::io
