#include "io/report/changed_settings.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "core/job/job_fields.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_text.hpp"
#include "io/file/text.hpp"
#include "io/report/json_parts.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_value = 60;

/// A value in few words; numbers as a person types them.
std::string value_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_number_float()) return core::number_text(value.get<double>());
  if (!value.is_string()) return printable(json_text(value), longest_value);
  const std::string text = value.get<std::string>();
  const bool is_word = !text.empty() && text.find(' ') == std::string::npos && text.size() <= longest_value;
  return is_word ? printable(text) : "\"" + printable(text, longest_value) + "\"";
}

Json member(const Json& object, const std::string& key) {
  return object.is_object() && object.contains(key) ? object[key] : Json();
}

void add_change(std::vector<SettingChange>& changes, const std::string& key, const Json& a, const Json& b) {
  if (a != b) changes.push_back({key, value_text(a), value_text(b)});
}

/// Keys of both objects but those of `except`, each once, in their order.
std::vector<std::string> keys_of(const Json& a, const Json& b, const std::vector<std::string>& except) {
  std::vector<std::string> keys;
  for (const Json* object : {&a, &b}) {
    if (!object->is_object()) continue;
    for (const auto& [key, value] : object->items()) {
      if (std::ranges::count(keys, key) + std::ranges::count(except, key) == 0) keys.push_back(key);
    }
  }
  return keys;
}

void compare_jobs(const Json& a, const Json& b, std::vector<SettingChange>& changes) {
  std::vector<std::string> known;
  for (const core::JobField& field : core::job_fields()) {
    known.emplace_back(field.key);
    add_change(changes, known.back(), member(a, known.back()), member(b, known.back()));
  }
  for (const std::string& key : keys_of(a, b, known)) add_change(changes, key, member(a, key), member(b, key));
}

/// Digests by name: of an object of such, or of a list of things that have a name.
Json by_name(const Json& digests) {
  if (!digests.is_array()) return digests;
  Json names = Json::object();
  for (const Json& each : digests) {
    const Json name = member(each, "name");
    if (name.is_string()) names[name.get<std::string>()] = each;
  }
  return names;
}

/// Where a document keeps digests, and what their owners are called.
struct DigestRow {
  const char* place;
  const char* owner;
};

constexpr std::array<DigestRow, 4> digest_rows = {{
    {"/model/files", "model"},
    {"/then/files", "second model"},
    {"/embeddings", "embedding"},
    {"/loras", "LoRA"},
}};

/// A digest in as many digits as tell it apart from another.
std::string digest_text(const Json& digest) {
  const Json sha256 = digest.is_object() ? member(digest, "sha256") : digest;
  return sha256.is_string() ? printable(sha256.get<std::string>().substr(0, 12)) : value_text(sha256);
}

void compare_digests(const Json& a, const Json& b, std::vector<SettingChange>& changes) {
  for (const DigestRow& row : digest_rows) {
    const Json::json_pointer place(row.place);
    const auto digests = [&](const Json& document) {
      return document.contains(place) ? by_name(document[place]) : Json::object();
    };
    const Json of_a = digests(a);
    const Json of_b = digests(b);
    for (const std::string& name : keys_of(of_a, of_b, {})) {
      const Json one = member(of_a, name);
      const Json other = member(of_b, name);
      if (one == other) continue;
      changes.push_back({core::sentence("{}: {}", row.owner, printable(name)), digest_text(one), digest_text(other)});
    }
  }
}

std::string change_text(const SettingChange& change) {
  const auto shown = [](const std::string& value) { return value.empty() ? "none" : value; };
  if (change.a == change.b) return core::sentence("{} {}, changed", change.key, shown(change.a));
  return core::sentence("{} {} -> {}", change.key, shown(change.a), shown(change.b));
}

std::string changes_text(const std::vector<SettingChange>& changes, const char* none) {
  if (changes.empty()) return none;
  constexpr std::size_t most = 8;
  std::vector<std::string> texts;
  for (const SettingChange& change : changes) {
    if (texts.size() < most) texts.push_back(change_text(change));
  }
  if (changes.size() > most) texts.push_back(core::sentence("{} more", changes.size() - most));
  return core::joined(texts);
}

}  // namespace

std::optional<ChangedSettings> changed_settings(std::string_view a, std::string_view b) {
  const std::optional<Json> of_a = object_in(std::string(a));
  const std::optional<Json> of_b = object_in(std::string(b));
  if (!of_a || !of_b || !of_a->contains("job") || !of_b->contains("job")) return std::nullopt;
  ChangedSettings changed;
  compare_jobs((*of_a)["job"], (*of_b)["job"], changed.job);
  const std::vector<std::string> told = {"version", "job", "model", "embeddings", "loras", "then"};
  for (const std::string& key : keys_of(*of_a, *of_b, told)) {
    add_change(changed.job, key, member(*of_a, key), member(*of_b, key));
  }
  compare_digests(*of_a, *of_b, changed.models);
  add_change(changed.program, "version", member(*of_a, "version"), member(*of_b, "version"));
  return changed;
}

std::string changed_text(const ChangedSettings& changed) {
  std::string text = core::sentence("{}; {}", changes_text(changed.job, "settings the same"),
                                    changes_text(changed.models, "models the same"));
  if (!changed.program.empty()) text += "; " + changes_text(changed.program, "");
  return text;
}

}  // namespace lapis::io
