#include "io/file/json_reader.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/base64.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"

namespace lapis::io {

namespace {

constexpr int deepest_nesting = 32;

[[noreturn]] void fail_document(const JsonSource& source, const std::string& what) {
  throw Error(source.kind, core::sentence("{} {}.", source.file, what), source.advice);
}

std::string list_of(std::span<const std::string> words) {
  std::vector<std::string> quoted;
  std::ranges::transform(words, std::back_inserter(quoted), in_quotes);
  return core::joined(quoted);
}

/// Watches a parse for what the finished document no longer shows.
class ParseWatch {
 public:
  explicit ParseWatch(const JsonSource& source) : source_(source) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    switch (event) {
      case nlohmann::json::parse_event_t::object_start:
        if (depth >= deepest_nesting) fail_document(source_, "is nested too deeply");
        open_.emplace_back();
        break;
      case nlohmann::json::parse_event_t::array_start:
        if (depth >= deepest_nesting) fail_document(source_, "is nested too deeply");
        break;
      case nlohmann::json::parse_event_t::key: see_key(parsed.get_ref<const std::string&>()); break;
      case nlohmann::json::parse_event_t::object_end: open_.pop_back(); break;
      case nlohmann::json::parse_event_t::array_end:
      case nlohmann::json::parse_event_t::value: break;
    }
    return true;
  }

 private:
  struct OpenObject {
    std::set<std::string> keys;
    std::string last_key;
  };

  void see_key(const std::string& key) {
    open_.back().last_key = key;
    if (open_.back().keys.insert(key).second) return;
    std::vector<std::string> place;
    std::ranges::transform(open_, std::back_inserter(place), &OpenObject::last_key);
    fail_document(source_, core::sentence("has the key {} twice", in_quotes(core::joined(place, "."))));
  }

  const JsonSource& source_;
  std::vector<OpenObject> open_;
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const JsonSource& source) {
  if (text.size() > source.max_bytes) {
    fail_document(source, core::sentence("has {} bytes; at most {} are read", text.size(), source.max_bytes));
  }
  // The parser takes a NUL for the end of the text, and would leave what follows unread.
  if (text.find('\0') != std::string_view::npos) fail_document(source, "has a NUL byte and is no JSON");
  ParseWatch watch(source);
  try {
    return nlohmann::json::parse(text, std::ref(watch));
  } catch (const nlohmann::json::exception& error) {
    fail_document(source, core::sentence("is no JSON: {}", json_reason(error)));
  }
}

nlohmann::json read_json(const JsonSource& source) {
  const MappedFile file(source.file, source.kind);
  return parse_json(as_chars(file.bytes()), source);
}

std::string json_reason(const std::exception& error) {
  std::string_view text = error.what();
  if (const auto name_end = text.find("] "); name_end != std::string_view::npos) text.remove_prefix(name_end + 2);
  if (const auto input = text.find("; last read"); input != std::string_view::npos) text = text.substr(0, input);
  return std::string(text);
}

void JsonValue::fail(const std::string& what) const {
  const std::string place = place_.empty() ? "the document" : place_;
  throw Error(source_->kind, core::sentence("{}: {} {}{}", source_->file, place, what, what.ends_with('?') ? "" : "."),
              source_->advice);
}

void JsonValue::fail_type(const std::string& expected) const { fail("is {}, expected {}", shown(), expected); }

std::string JsonValue::place_of(const std::string& key) const {
  return place_.empty() ? printable(key) : place_ + "." + printable(key);
}

std::string JsonValue::shown() const {
  if (value_->is_object()) return "an object";
  if (value_->is_array()) return "a list";
  return value_->is_string() ? in_quotes(value_->get_ref<const std::string&>()) : value_->dump();
}

void JsonValue::expect_keys(std::span<const std::string> keys, std::span<const std::string> optional) const {
  std::vector<std::string> known(keys.begin(), keys.end());
  known.insert(known.end(), optional.begin(), optional.end());
  for (const auto& [key, member] : members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string guess = core::did_you_mean(key, known);
      member.fail("is an unknown key.{}", guess.empty() ? core::sentence(" Known here: {}", list_of(known)) : guess);
    }
  }
  for (const std::string& key : keys) at(key);
}

bool JsonValue::has(const std::string& key) const {
  if (!value_->is_object()) fail_type("an object");
  return value_->contains(key);
}

JsonValue JsonValue::at(const std::string& key) const {
  if (!value_->is_object()) fail_type("an object");
  const auto found = value_->find(key);
  if (found == value_->end()) fail("lacks the key {}", in_quotes(key));
  return {*found, *source_, place_of(key)};
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
  if (!value_->is_object()) fail_type("an object");
  std::vector<std::pair<std::string, JsonValue>> result;
  for (const auto& [key, member] : value_->items()) {
    result.emplace_back(key, JsonValue(member, *source_, place_of(key)));
  }
  return result;
}

std::vector<JsonValue> JsonValue::items() const {
  if (!value_->is_array()) fail_type("a list");
  std::vector<JsonValue> result;
  for (std::size_t i = 0; i < value_->size(); ++i) {
    result.push_back(JsonValue((*value_)[i], *source_, place_ + "[" + std::to_string(i) + "]"));
  }
  return result;
}

std::string JsonValue::text() const {
  if (value_->is_string()) return value_->get<std::string>();
  // As `json_text` writes what is no UTF-8.
  if (value_->is_object() && value_->size() == 1 && value_->contains("bytes") && value_->at("bytes").is_string()) {
    if (auto bytes = bytes_of_base64(value_->at("bytes").get_ref<const std::string&>())) return std::move(*bytes);
  }
  fail_type("a text");
}

std::string JsonValue::name() const {
  std::string result = text();
  if (result.empty()) fail("is an empty text");
  return result;
}

std::string JsonValue::sha256() const {
  std::string digest = text();
  if (digest.size() == 64 && digest.find_first_not_of("0123456789abcdef") == std::string::npos) return digest;
  fail("is {}, expected 64 lower-case hex digits", in_quotes(digest));
}

bool JsonValue::truth() const {
  if (!value_->is_boolean()) fail_type("true or false");
  return value_->get<bool>();
}

std::int64_t JsonValue::integer(std::int64_t low, std::int64_t high, const std::string& expected) const {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool is_wide = value_->is_number_unsigned() && value_->get<std::uint64_t>() > largest;
  const auto result = value_->is_number_integer() && !is_wide ? value_->get<std::int64_t>() : 0;
  if (!value_->is_number_integer() || is_wide || result < low || result > high) {
    fail_type(expected.empty() ? core::sentence("a whole number of {} to {}", low, high) : expected);
  }
  return result;
}

std::uint64_t JsonValue::natural() const {
  if (!value_->is_number_unsigned()) fail_type("a whole number of 0 to 18446744073709551615");
  return value_->get<std::uint64_t>();
}

double JsonValue::number(double low, double high, const std::string& expected) const {
  const double result = value_->is_number() ? value_->get<double>() : std::numeric_limits<double>::quiet_NaN();
  if (std::isfinite(result) && result >= low && result <= high) return result;
  fail_type(expected.empty() ? core::sentence("a number of {:g} to {:g}", low, high) : expected);
}

std::size_t JsonValue::choice(std::span<const std::string> choices) const {
  const std::string word = text();
  const auto found = std::find(choices.begin(), choices.end(), word);
  if (found == choices.end()) {
    fail("is {}, expected one of {}.{}", in_quotes(word), list_of(choices), core::did_you_mean(word, choices));
  }
  return static_cast<std::size_t>(found - choices.begin());
}

}  // namespace lapis::io
