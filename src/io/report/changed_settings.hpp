// What two files of lapis that hold their settings say differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::io {

/// One thing, as each of the two has it; empty where it has no such thing.
struct SettingChange {
  std::string key;  ///< "steps"; of a file of the model "model: unet/model.safetensors"
  std::string a;    ///< in few words, as a person reads them: 20, "a red house"
  std::string b;

  bool operator==(const SettingChange&) const = default;
};

/// Everything that two records say differently.
struct ChangedSettings {
  std::vector<SettingChange> job;      ///< fields, in the order of `core::job_fields`, and what else is recorded
  std::vector<SettingChange> models;   ///< files of models, embeddings and LoRAs, by their digests
  std::vector<SettingChange> program;  ///< the version of lapis, which is a reason of itself for nothing
};

/// Compares what `provenance` wrote twice. None where one of the texts is no such document.
std::optional<ChangedSettings> changed_settings(std::string_view a, std::string_view b);

/// In one line: "steps 20 -> 19; models the same".
std::string changed_text(const ChangedSettings& changed);

}  // namespace lapis::io
