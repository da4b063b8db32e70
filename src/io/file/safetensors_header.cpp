#include "io/file/safetensors_header.hpp"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/text.hpp"

namespace lapis::io {

namespace {

struct DtypeRow {
  Dtype dtype;
  std::string_view name;
  unsigned bits;
};

// Names and widths are part of the format on disk.
constexpr std::array<DtypeRow, 22> dtypes{{
    {Dtype::boolean, "BOOL", 8},
    {Dtype::f4, "F4", 4},
    {Dtype::f6_e2m3, "F6_E2M3", 6},
    {Dtype::f6_e3m2, "F6_E3M2", 6},
    {Dtype::u8, "U8", 8},
    {Dtype::i8, "I8", 8},
    {Dtype::f8_e5m2, "F8_E5M2", 8},
    {Dtype::f8_e4m3, "F8_E4M3", 8},
    {Dtype::f8_e8m0, "F8_E8M0", 8},
    {Dtype::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    {Dtype::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
    {Dtype::i16, "I16", 16},
    {Dtype::u16, "U16", 16},
    {Dtype::f16, "F16", 16},
    {Dtype::bf16, "BF16", 16},
    {Dtype::i32, "I32", 32},
    {Dtype::u32, "U32", 32},
    {Dtype::f32, "F32", 32},
    {Dtype::c64, "C64", 64},
    {Dtype::f64, "F64", 64},
    {Dtype::i64, "I64", 64},
    {Dtype::u64, "U64", 64},
}};

const DtypeRow& row_of(Dtype dtype) { return dtypes.at(static_cast<std::size_t>(dtype)); }

constexpr std::size_t highest_rank = 8;

/// Takes the parser's events as they come: nothing is built that the grammar does not allow, nesting is bounded, and
/// repeated keys are seen, which a finished document would have lost.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const HeaderFault& fault) : fault_(fault) {}

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::start: place_ = Place::tensors; return true;
      case Place::tensors:
        place_ = name_ == metadata_key ? Place::metadata : Place::tensor;
        entry_ = {};
        fields_.clear();
        return true;
      case Place::tensor:
      case Place::metadata:
      case Place::list: unexpected("an object");
    }
    return false;
  }

  bool key(string_t& text) override {
    if (place_ == Place::tensors) return open_member(text);
    if (place_ == Place::metadata) {
      if (header_.metadata.contains(text)) fault_("the metadata key {} appears twice", in_quotes(text));
    } else {
      if (text != "dtype" && text != "shape" && text != "data_offsets") {
        fault_("tensor {} has an unknown field {}", in_quotes(name_), in_quotes(text));
      }
      if (!fields_.insert(text).second) fault_("tensor {} has the field {} twice", in_quotes(name_), text);
    }
    field_ = text;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) close_tensor();
    place_ = Place::tensors;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || field_ == "dtype") unexpected("a list");
    place_ = Place::list;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    place_ = Place::tensor;
    if (field_ == "shape") {
      close_shape();
      return true;
    }
    if (numbers_.size() != 2) fault_("tensor {} needs two numbers as data_offsets", in_quotes(name_));
    entry_.begin = numbers_[0];
    entry_.end = numbers_[1];
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::list) unexpected("a number");
    if (numbers_.size() == highest_rank) {
      fault_("tensor {} has more than {} numbers as {}", in_quotes(name_), highest_rank, field_);
    }
    numbers_.push_back(value);
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::metadata) {
      header_.metadata.emplace(field_, std::move(text));
    } else if (place_ == Place::tensor && field_ == "dtype") {
      set_dtype(text);
    } else {
      unexpected("a text");
    }
    return true;
  }

  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { unexpected("a fraction or a number too large"); }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    fault_("its header is no JSON: {}", json_reason(error));
  }

  SafetensorsHeader take() { return std::move(header_); }

 private:
  enum class Place { start, tensors, tensor, metadata, list };

  [[noreturn]] void unexpected(const std::string& what) {
    const std::string where = place_ == Place::start || place_ == Place::tensors ? in_quotes(name_)
                              : place_ == Place::metadata ? core::sentence("metadata {}", in_quotes(field_))
                                                          : core::sentence("{} of {}", field_, in_quotes(name_));
    fault_("its header has {} where it does not belong: {}", what, where);
  }

  bool open_member(const std::string& name) {
    const bool twice = name == metadata_key ? has_metadata_ : header_.tensors.contains(name);
    if (twice && name == metadata_key) fault_("{} appears twice", in_quotes(name));
    if (twice) fault_("the tensor {} appears twice", in_quotes(name));
    if (name == metadata_key) has_metadata_ = true;
    name_ = name;
    return true;
  }

  void set_dtype(const std::string& name) {
    for (const DtypeRow& row : dtypes) {
      if (row.name == name) {
        entry_.dtype = row.dtype;
        return;
      }
    }
    fault_("tensor {} has the unknown dtype {}", in_quotes(name_), in_quotes(name));
  }

  void close_shape() {
    for (const std::uint64_t length : numbers_) {
      if (length > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        fault_("the shape of tensor {} is too large: {}", in_quotes(name_), length);
      }
      entry_.shape.push_back(static_cast<std::int64_t>(length));
    }
  }

  void close_tensor() {
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!fields_.contains(field)) fault_("tensor {} lacks the field {}", in_quotes(name_), field);
    }
    header_.tensors.emplace(name_, std::move(entry_));
  }

  const HeaderFault& fault_;
  SafetensorsHeader header_;
  Place place_ = Place::start;
  bool has_metadata_ = false;
  std::string name_;
  std::string field_;
  std::set<std::string> fields_;
  TensorEntry entry_;
  std::vector<std::uint64_t> numbers_;
};

void expect_utf8(const std::string& text) {
  if (!core::first_bad_utf8(text)) return;
  throw Error(ErrorKind::usage,
              core::sentence("{} is not UTF-8 and cannot be stored in a safetensors file.", in_quotes(text)));
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return row_of(dtype).name; }

unsigned dtype_bits(Dtype dtype) { return row_of(dtype).bits; }

void HeaderFault::fail(const std::string& what) const {
  throw Error(kind_, core::sentence("{} is not a valid safetensors file: {}.", name_, what), advice_);
}

SafetensorsHeader parse_safetensors_header(std::string_view text, const HeaderFault& fault) {
  if (text.empty() || text.front() != '{') fault("its header does not begin with {{");
  // The parser takes a NUL for the end of the text, and would leave what follows unread.
  if (text.find('\0') != std::string_view::npos) fault("its header has a NUL byte");
  HeaderReader reader(fault);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

std::string safetensors_header(const std::map<std::string, std::string>& metadata,
                               std::span<const std::pair<const std::string, TensorView>* const> rows) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) {
    expect_utf8(key);
    expect_utf8(value);
    header[metadata_key][key] = value;
  }
  std::uint64_t end = 0;
  for (const auto* row : rows) {
    const auto& [name, tensor] = *row;
    expect_utf8(name);
    const std::uint64_t begin = std::exchange(end, end + tensor.data.size());
    header[name] = {{"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() <= longest_safetensors_header) return text;
  throw Error(ErrorKind::internal,
              core::sentence("a safetensors header of {} bytes is longer than the format allows.", text.size()));
}

}  // namespace lapis::io
