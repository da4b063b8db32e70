#include "io/latent/npy.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <type_traits>

#include "core/text/sentence.hpp"
#include "io/file/text.hpp"
#include "io/latent/latent_metadata.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t version_end = magic.size() + 2;
constexpr std::size_t longest_header = 10'000;  ///< numpy.load's own limit

/// `what` is a clause without a full stop, with places for `values`.
template <typename... Values>
[[noreturn]] void fail(const std::string& name, std::type_identity_t<core::SentenceText<sizeof...(Values)>> what,
                       const Values&... values) {
  throw Error(ErrorKind::input,
              core::sentence("{} is not a valid .npy file: {}.", name, core::sentence(what, values...)),
              (name == standard_input ? latent_advice(name) : "It is damaged or was written wrongly: save it again."));
}

/// What the header says, each value as the text it is.
struct NpyHeader {
  std::map<std::string, std::string, std::less<>> values;
  std::size_t end = 0;  ///< where the data begin
};

/// Takes Python literals from the front of a header: a dict of texts, words and flat tuples, no more.
class LiteralReader {
 public:
  LiteralReader(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  std::map<std::string, std::string, std::less<>> dict() {
    std::map<std::string, std::string, std::less<>> values;
    take('{');
    while (next() != '}') {
      const std::string key(quoted());
      take(':');
      if (!values.emplace(key, value()).second) {
        fail(name_, "its header has the key {} twice", in_quotes(key));
      }
      if (next() == '}') break;
      take(',');
    }
    take('}');
    if (rest_.find_first_not_of(" \n") != std::string_view::npos) fail(name_, "its header has text behind the dict");
    return values;
  }

 private:
  char next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }

  void take(char c) {
    if (next() != c) fail(name_, "its header has no \"{}\" where one belongs", c);
    rest_.remove_prefix(1);
  }

  std::string_view up_to(char end) {
    const std::size_t at = rest_.find(end, 1);
    if (at == std::string_view::npos) fail(name_, "its header has no \"{}\" to end a value", end);
    const std::string_view taken = rest_.substr(0, at + 1);
    rest_.remove_prefix(at + 1);
    return taken;
  }

  std::string_view quoted() {
    if (next() != '\'' && next() != '"') fail(name_, "its header has a key that is no text");
    const std::string_view whole = up_to(next());
    return whole.substr(1, whole.size() - 2);
  }

  std::string value() {
    switch (next()) {
      case '\'':
      case '"': return std::string(quoted());
      case '(': return std::string(up_to(')'));
      case '[': return std::string(up_to(']'));
      default: break;
    }
    const std::size_t end = std::min(rest_.find_first_of(",} "), rest_.size());
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return word;
  }

  std::string_view rest_;
  const std::string& name_;
};

NpyHeader read_header(std::span<const std::byte> file, const std::string& name) {
  if (!begins_as_npy(file)) fail(name, "it does not begin with \"\\x93NUMPY\"");
  if (file.size() < version_end) fail(name, "it is cut short");
  const auto major = std::to_integer<unsigned>(file[magic.size()]);
  const auto minor = std::to_integer<unsigned>(file[magic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    fail(name, "it is of version {}.{}, expected 1.0, 2.0 or 3.0", major, minor);
  }
  const std::size_t size_bytes = major == 1 ? 2 : 4;
  if (file.size() < version_end + size_bytes) fail(name, "it is cut short");
  std::size_t length = 0;
  for (std::size_t i = size_bytes; i-- > 0;) {
    length = (length << 8U) | std::to_integer<std::size_t>(file[version_end + i]);
  }
  if (length > longest_header) fail(name, "its header claims {} bytes; 10000 are the most", length);
  const std::size_t begin = version_end + size_bytes;
  if (length > file.size() - begin) fail(name, "it is cut short, in the middle of its header");
  return {LiteralReader(as_chars(file.subspan(begin, length)), name).dict(), begin + length};
}

const std::string& value_of(const NpyHeader& header, std::string_view key, const std::string& name) {
  const auto found = header.values.find(key);
  if (found == header.values.end()) fail(name, "its header lacks {}", in_quotes(key));
  return found->second;
}

Dtype read_dtype(const std::string& descr, const std::string& name) {
  if (descr == "<f4") return Dtype::f32;
  if (descr == "<f2") return Dtype::f16;
  const std::string advice = "Save it as float32: numpy.save(file, array.astype(\"<f4\"))";
  if (descr == "<f8") {
    throw Error(ErrorKind::input, core::sentence("{} holds float64, of which lapis would keep half the bits.", name),
                advice);
  }
  if (descr.starts_with('>')) {
    throw Error(ErrorKind::input, core::sentence("{} holds big-endian numbers ({}).", name, printable(descr)), advice);
  }
  throw Error(ErrorKind::input,
              core::sentence("{} holds numbers of the type {}; latents are float32 (\"<f4\") or float16 (\"<f2\").",
                             name, in_quotes(descr)),
              advice);
}

std::vector<std::int64_t> read_shape(std::string_view text, const std::string& name) {
  const auto refuse = [&] { fail(name, "its shape is {}, expected a tuple of whole numbers", in_quotes(text)); };
  if (!text.starts_with('(')) refuse();
  std::vector<std::int64_t> shape;
  std::string_view rest = text.substr(1);
  const auto skip_blanks = [&] { rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size())); };
  for (skip_blanks(); !rest.starts_with(')'); skip_blanks()) {
    std::int64_t size = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (read.ec != std::errc() || size < 0 || shape.size() == 32) refuse();
    shape.push_back(size);
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    skip_blanks();
    if (rest.starts_with(',')) {
      rest.remove_prefix(1);
    } else if (!rest.starts_with(')')) {
      refuse();
    }
  }
  return shape;
}

std::string header_text(const TensorView& tensor) {
  constexpr std::size_t alignment = 64;
  constexpr std::size_t growth_digits = 21;  // numpy leaves room for the first side to grow in place
  std::string shape;
  for (const std::int64_t size : tensor.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(size);
  if (tensor.shape.size() == 1) shape += ",";
  std::string text = std::string("{'descr': '") + (tensor.dtype == Dtype::f16 ? "<f2" : "<f4") +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";
  if (!tensor.shape.empty()) text.append(growth_digits - std::to_string(tensor.shape.front()).size(), ' ');
  const std::size_t before = version_end + 2;
  text.append(alignment - (before + text.size() + 1) % alignment, ' ');
  return text + "\n";
}

}  // namespace

bool begins_as_npy(std::span<const std::byte> file) { return as_chars(file).starts_with(magic); }

TensorView parse_npy(std::span<const std::byte> file, const std::string& name) {
  const NpyHeader header = read_header(file, name);
  for (const auto& [key, text] : header.values) {
    if (key != "descr" && key != "fortran_order" && key != "shape") {
      fail(name, "its header has the unknown key {}", in_quotes(key));
    }
  }
  TensorView tensor;
  tensor.dtype = read_dtype(value_of(header, "descr", name), name);
  tensor.shape = read_shape(value_of(header, "shape", name), name);
  const std::string& order = value_of(header, "fortran_order", name);
  if (order == "True") {
    throw Error(ErrorKind::input, core::sentence("{} holds an array in Fortran order.", name),
                "Save it in C order: numpy.save(file, numpy.ascontiguousarray(array))");
  }
  if (order != "False") {
    fail(name, "its fortran_order is {}, expected True or False", in_quotes(order));
  }
  tensor.data = file.subspan(header.end);
  const std::optional<std::uint64_t> needed = tensor_bytes(tensor.dtype, tensor.shape);
  if (!needed) fail(name, "its shape is too large");
  if (*needed > tensor.data.size()) {
    fail(name, "its array needs {} bytes, but {} are there: it is cut short", *needed, tensor.data.size());
  }
  if (*needed < tensor.data.size()) {
    fail(name, "{} bytes follow its array", tensor.data.size() - *needed);
  }
  return tensor;
}

std::vector<std::byte> npy_bytes(const TensorView& tensor) {
  if ((tensor.dtype != Dtype::f32 && tensor.dtype != Dtype::f16) ||
      tensor_bytes(tensor.dtype, tensor.shape) != tensor.data.size()) {
    throw Error(ErrorKind::internal, "an array that .npy cannot hold.");
  }
  const std::string header = header_text(tensor);
  std::string start(magic);
  start += '\x01';
  start += '\0';
  start += static_cast<char>(header.size() & 0xFFU);
  start += static_cast<char>(header.size() >> 8U);
  start += header;
  const std::span<const std::byte> start_bytes = std::as_bytes(std::span(start));
  std::vector<std::byte> bytes(start_bytes.begin(), start_bytes.end());
  bytes.insert(bytes.end(), tensor.data.begin(), tensor.data.end());
  return bytes;
}

}  // namespace lapis::io
