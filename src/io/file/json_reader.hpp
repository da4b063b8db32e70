// JSON that people write by hand, read strictly: every complaint names the place in the document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// Where a document comes from, and how its errors are thrown.
struct JsonSource {
  std::string file;       ///< begins every message
  ErrorKind kind;         ///< of every error
  std::string advice;     ///< second line of every message: what to do
  std::size_t max_bytes;  ///< longer documents are refused unread
};

/// Parses `text`. Malformed JSON, more than 32 levels of nesting, a key that appears twice in one object (parsers
/// disagree on which of the two counts), NUL bytes and malformed UTF-8 throw source.kind.
nlohmann::json parse_json(std::string_view text, const JsonSource& source);

/// Parses the file at the path `source.file`, as `parse_json` does; one that cannot be read throws source.kind, too.
nlohmann::json read_json(const JsonSource& source);

/// The reason in an exception of nlohmann::json, in words for people: without its class name and without the text it
/// last read, which may be as long as the file.
std::string json_reason(const std::exception& error);

/// A value and its place ("parts.denoiser.inputs[1].dtype"). Refers to the document and the source it was made from,
/// which must outlive it. Every function throws source.kind if the value is not what is asked for.
class JsonValue {
 public:
  JsonValue(const nlohmann::json& document, const JsonSource& source) : value_(&document), source_(&source) {}

  /// Throws: "<file>: <place> <what>.", then the advice. `what` begins with a verb and has no full stop.
  [[noreturn]] void fail(const std::string& what) const;

  /// Throws as with one text: `what` with `value` and `more` in its places (`core::sentence`).
  template <typename Value, typename... More>
  [[noreturn]] void fail(std::type_identity_t<core::SentenceText<1 + sizeof...(More)>> what, const Value& value,
                         const More&... more) const {
    fail(core::sentence(what, value, more...));
  }

  /// Demands an object that has all of `keys`, and no other but those of `optional`. An unknown key is met with the
  /// nearest of them.
  void expect_keys(std::span<const std::string> keys, std::span<const std::string> optional = {}) const;

  /// Whether an object has the member `key`.
  bool has(const std::string& key) const;

  /// The member `key` of an object.
  JsonValue at(const std::string& key) const;

  /// The members of an object, sorted by key, and the items of a list.
  std::vector<std::pair<std::string, JsonValue>> members() const;
  std::vector<JsonValue> items() const;

  bool is_null() const { return value_->is_null(); }
  bool is_text() const { return value_->is_string(); }
  /// A text, or bytes that are none in UTF-8 (`json_text`).
  std::string text() const;

  /// A text that is not empty.
  std::string name() const;

  /// A text of 64 lower-case hex digits.
  std::string sha256() const;

  bool truth() const;

  /// A whole number, or any number, of [low, high]; `expected` says in messages what that is.
  std::int64_t integer(std::int64_t low, std::int64_t high, const std::string& expected = "") const;
  double number(double low, double high, const std::string& expected = "") const;

  /// A whole number of 0 to 2^64 - 1.
  std::uint64_t natural() const;

  /// The place of the text in `choices`.
  std::size_t choice(std::span<const std::string> choices) const;

 private:
  JsonValue(const nlohmann::json& value, const JsonSource& source, std::string place)
      : value_(&value), source_(&source), place_(std::move(place)) {}

  std::string place_of(const std::string& key) const;
  std::string shown() const;
  [[noreturn]] void fail_type(const std::string& expected) const;

  const nlohmann::json* value_;
  const JsonSource* source_;
  std::string place_;  ///< empty for the document itself
};

}  // namespace lapis::io
