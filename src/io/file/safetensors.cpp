#include "io/file/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/safetensors_header.hpp"
#include "io/file/text.hpp"

namespace lapis::io {

namespace {

constexpr std::size_t size_field = 8;

std::uint64_t read_u64(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = size_field; i-- > 0;) value = (value << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

/// The JSON text between the size field and the data.
std::string_view header_text(std::span<const std::byte> file, const HeaderFault& fault) {
  if (file.size() < size_field) {
    fault("it has {} bytes, fewer than the 8 that say how long its header is", file.size());
  }
  const std::uint64_t length = read_u64(file);
  if (length > longest_safetensors_header) {
    fault("its header claims {} bytes; the format allows {}", length, longest_safetensors_header);
  }
  if (length > file.size() - size_field) {
    fault("its header claims {} bytes, but {} follow: the file is cut short", length, file.size() - size_field);
  }
  return as_chars(file.subspan(size_field, length));
}

/// Refuses data with gaps or overlaps, and with more than `stray` bytes behind the last tensor: a file that passes
/// holds nothing but tensors.
void check_layout(const std::map<std::string, TensorEntry>& entries, std::uint64_t data_size, std::uint64_t stray,
                  const HeaderFault& fault) {
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
    const std::string* name;
  };
  std::vector<Range> ranges;
  ranges.reserve(entries.size());
  for (const auto& [name, entry] : entries) ranges.push_back({entry.begin, entry.end, &name});
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  std::uint64_t expected = 0;
  for (const Range& range : ranges) {
    if (range.begin != expected) {
      fault("tensor {} begins at byte {} of the data, expected {} ({})", in_quotes(*range.name), range.begin, expected,
            range.begin < expected ? "it overlaps another" : "there is a hole before it");
    }
    expected = range.end;
  }
  if (expected > data_size) {
    fault("its tensors need {} bytes of data, but {} are there: the file is cut short", expected, data_size);
  }
  if (expected + stray < data_size) fault("{} bytes after the last tensor belong to nothing", data_size - expected);
}

void check_entry(const std::string& name, const TensorEntry& entry, const HeaderFault& fault) {
  if (entry.begin > entry.end) {
    fault("tensor {} ends at byte {}, before it begins at {}", in_quotes(name), entry.end, entry.begin);
  }
  const std::optional<std::uint64_t> bytes = tensor_bytes(entry.dtype, entry.shape);
  if (!bytes) fault("the shape of tensor {} is too large or gives no whole number of bytes", in_quotes(name));
  if (*bytes != entry.end - entry.begin) {
    fault("tensor {} needs {} bytes by its dtype and shape, but has {}", in_quotes(name), *bytes,
          entry.end - entry.begin);
  }
}

}  // namespace

std::optional<std::uint64_t> tensor_bytes(Dtype dtype, std::span<const std::int64_t> shape) {
  std::uint64_t bits = dtype_bits(dtype);
  for (const std::int64_t length : shape) {
    if (length < 0 || __builtin_mul_overflow(bits, static_cast<std::uint64_t>(length), &bits)) return std::nullopt;
  }
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

Safetensors parse_safetensors(std::span<const std::byte> file, const std::string& name, ErrorKind kind,
                              const std::string& advice, std::size_t stray) {
  const HeaderFault fault(name, kind, advice);
  const std::string_view text = header_text(file, fault);
  SafetensorsHeader header = parse_safetensors_header(text, fault);
  const std::span<const std::byte> data = file.subspan(size_field + text.size());
  for (const auto& [tensor, entry] : header.tensors) check_entry(tensor, entry, fault);
  check_layout(header.tensors, data.size(), stray, fault);
  Safetensors content;
  content.metadata = std::move(header.metadata);
  for (auto& [tensor, entry] : header.tensors) {
    content.tensors.emplace_hint(
        content.tensors.end(), tensor,
        TensorView{entry.dtype, std::move(entry.shape), data.subspan(entry.begin, entry.end - entry.begin)});
  }
  return content;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, ErrorKind kind, std::size_t stray)
    : file_(path, kind), content_(parse_safetensors(file_.bytes(), path.string(), kind, damaged_file_advice, stray)) {}

std::vector<std::byte> safetensors_bytes(const Safetensors& content) {
  using Row = std::pair<const std::string, TensorView>;
  std::vector<const Row*> rows;
  std::size_t data_size = 0;
  for (const Row& row : content.tensors) {
    if (row.first == metadata_key) {
      throw Error(ErrorKind::internal,
                  core::sentence("a tensor is called {}, which the header keeps for metadata.", in_quotes(row.first)));
    }
    if (tensor_bytes(row.second.dtype, row.second.shape) != row.second.data.size()) {
      throw Error(ErrorKind::internal,
                  core::sentence("tensor {} has {} bytes of data, which its dtype and shape contradict.",
                                 in_quotes(row.first), row.second.data.size()));
    }
    rows.push_back(&row);
    data_size += row.second.data.size();
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row* a, const Row* b) { return a->second.dtype > b->second.dtype; });
  const std::string text = safetensors_header(content.metadata, rows);

  std::vector<std::byte> bytes;
  bytes.reserve(size_field + text.size() + data_size);
  for (std::size_t i = 0; i < size_field; ++i) bytes.push_back(static_cast<std::byte>(text.size() >> (8 * i)));
  const std::span<const std::byte> text_bytes = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), text_bytes.begin(), text_bytes.end());
  for (const Row* row : rows) bytes.insert(bytes.end(), row->second.data.begin(), row->second.data.end());
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const Safetensors& content, bool overwrite) {
  write_file(path, safetensors_bytes(content), overwrite);
}

}  // namespace lapis::io
