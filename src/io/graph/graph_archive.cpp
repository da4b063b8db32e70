#include "io/graph/graph_archive.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <vector>
#include <zlib.h>

#include "core/checkpoint/graph_ops.hpp"
#include "core/text/sentence.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/inflate.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "io/graph/graph_program.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

// Records of the zip format. All numbers are little-endian.
constexpr std::uint64_t local_signature = 0x04034b50;
constexpr std::uint64_t central_signature = 0x02014b50;
constexpr std::uint64_t end_signature = 0x06054b50;
constexpr std::uint64_t end64_signature = 0x06064b50;
constexpr std::uint64_t locator64_signature = 0x07064b50;
constexpr std::uint64_t local_size = 30;
constexpr std::uint64_t central_size = 46;
constexpr std::uint64_t end_size = 22;
constexpr std::uint64_t end64_size = 56;
constexpr std::uint64_t locator64_size = 20;
constexpr std::uint64_t saturated16 = 0xFFFF;      // "the zip64 record has it"
constexpr std::uint64_t saturated32 = 0xFFFFFFFF;  // "the zip64 field has it"

// Graphs of the largest models have a few thousand entries, and their text deflates to about a tenth.
constexpr std::uint64_t most_entries = 200'000;
constexpr std::uint64_t highest_ratio = 200;
constexpr std::uint64_t ratio_free_bytes = 1U << 20U;
// The code of the largest models is half a megabyte; libtorch parses a hundred times that in a minute.
constexpr std::uint64_t most_code = 64U << 20U;
constexpr std::uint64_t most_size = ~std::uint64_t{0};

struct Entry {
  std::string name;
  std::uint64_t checksum = 0;
  std::uint64_t flags = 0;
  std::uint64_t method = 0;
  std::uint64_t packed = 0;
  std::uint64_t unpacked = 0;
  std::uint64_t offset = 0;  ///< of the local header
};

/// Where the list of entries lies.
struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Adds the names that classes of the archive's code list as their parameters.
void add_parameter_names(std::string_view code, std::set<std::string, std::less<>>& names) {
  constexpr std::string_view list = "__parameters__ = [";
  for (std::size_t at = code.find(list); at != std::string_view::npos; at = code.find(list, at)) {
    at += list.size();
    std::string_view rest = code.substr(at, code.find(']', at) - at);
    while (!rest.empty()) {
      const std::size_t open = rest.find('"');
      const std::size_t close = open == std::string_view::npos ? open : rest.find('"', open + 1);
      if (close == std::string_view::npos) break;
      names.emplace(rest.substr(open + 1, close - open - 1));
      rest.remove_prefix(close + 1);
    }
  }
}

class Archive {
 public:
  Archive(std::span<const std::byte> bytes, const std::string& name, ErrorKind kind)
      : bytes_(bytes), name_(name), kind_(kind) {}

  /// Returns what the archive holds.
  std::vector<Entry> check() const {
    check_kind();
    if (bytes_.size() < end_size) fail("is no TorchScript graph: it is too short for a zip archive");
    const Directory directory = find_directory();
    std::vector<Entry> entries = read_directory(directory);
    std::set<std::string> names;
    std::set<std::string> folded_names;
    for (const Entry& entry : entries) {
      check_name(entry.name);
      check_sizes(entry);
      names.insert(entry.name);
      // libtorch's reader of archives takes no notice of capitals.
      if (!folded_names.insert(folded(entry.name)).second) fail("has the entry {} twice", in_quotes(entry.name));
    }
    check_ranges(entries, directory.begin);
    check_torchscript(names);
    check_program(entries);
    return entries;
  }

  std::vector<core::TensorShape> parameters() const {
    const std::vector<Entry> entries = check();
    std::set<std::string, std::less<>> names;
    std::vector<core::TensorShape> tensors;
    for (const Entry& entry : entries) {
      const std::string inside = inside_of(entry);
      if (is_code(inside)) add_parameter_names(content(entry), names);
      if (inside == "data.pkl") tensors = pickle_tensors(content(entry), record_sizes(entries, entry));
    }
    std::erase_if(tensors, [&](const core::TensorShape& tensor) { return !names.contains(tensor.name); });
    for (core::TensorShape& tensor : tensors) std::ranges::replace(tensor.name, '/', '.');
    return tensors;
  }

 private:
  /// `what` begins with a verb, has no full stop, and places for `values`.
  template <typename... Values>
  [[noreturn]] void fail(std::type_identity_t<core::SentenceText<sizeof...(Values)>> what,
                         const Values&... values) const {
    throw Error(kind_, core::sentence("{} {}.", name_, core::sentence(what, values...)),
                "Restore the file, or export the model again.");
  }

  /// Says what the file is, of those that people take for graphs.
  void check_kind() const {
    if (as_chars(bytes_).starts_with("GGUF")) fail("is a GGUF file, and no TorchScript graph");
    if (begins_as_pickle(bytes_)) {
      fail("is a pickle of torch.save, and no TorchScript graph (torch.jit.save writes one)");
    }
    if (begins_as_safetensors(bytes_)) fail("is a safetensors file, weights without a graph");
  }

  /// `width` bytes at `offset`, which must lie in the file.
  std::uint64_t number(std::uint64_t offset, unsigned width) const {
    if (offset > bytes_.size() || width > bytes_.size() - offset) fail("is a damaged zip archive: it is cut short");
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) value = (value << 8U) | std::to_integer<std::uint64_t>(bytes_[offset + i]);
    return value;
  }

  std::string text(std::uint64_t offset, std::uint64_t length) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) fail("is a damaged zip archive: it is cut short");
    return {reinterpret_cast<const char*>(bytes_.data()) + offset, static_cast<std::size_t>(length)};
  }

  /// TorchScript writes no comment after the end record, so it is where the file ends or it is not there at all.
  Directory find_directory() const {
    const std::uint64_t end = bytes_.size() - end_size;
    if (number(end, 4) != end_signature || number(end + 20, 2) != 0) {
      fail("is no TorchScript graph, or is cut short: the end of a zip archive is missing");
    }
    Directory directory{number(end + 10, 2), number(end + 16, 4), end};
    std::uint64_t length = number(end + 12, 4);
    if (end >= locator64_size && number(end - locator64_size, 4) == locator64_signature) {
      const std::uint64_t end64 = number(end - locator64_size + 8, 8);
      if (bytes_.size() < end64_size || end64 > bytes_.size() - end64_size || number(end64, 4) != end64_signature) {
        fail("is a damaged zip archive: its zip64 record is missing");
      }
      const Directory wide{number(end64 + 32, 8), number(end64 + 48, 8), end64};
      const std::uint64_t wide_length = number(end64 + 40, 8);
      const bool agree = (directory.entries == saturated16 || directory.entries == wide.entries) &&
                         (directory.begin == saturated32 || directory.begin == wide.begin) &&
                         (length == saturated32 || length == wide_length);
      if (!agree) fail("is a damaged zip archive: its two end records differ");
      directory = wide;
      length = wide_length;
    }
    if (directory.entries > most_entries) fail("has {} entries, too many", directory.entries);
    if (directory.begin > directory.end || length != directory.end - directory.begin) {
      fail("is a damaged zip archive: its directory is not where its end record says");
    }
    return directory;
  }

  std::vector<Entry> read_directory(const Directory& directory) const {
    std::vector<Entry> entries;
    std::uint64_t at = directory.begin;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      if (number(at, 4) != central_signature) fail("is a damaged zip archive: its directory is broken");
      const std::uint64_t name_length = number(at + 28, 2);
      const std::uint64_t extra_length = number(at + 30, 2);
      Entry entry;
      entry.flags = number(at + 8, 2);
      entry.method = number(at + 10, 2);
      entry.checksum = number(at + 16, 4);
      entry.packed = number(at + 20, 4);
      entry.unpacked = number(at + 24, 4);
      entry.offset = number(at + 42, 4);
      entry.name = text(at + central_size, name_length);
      read_wide_fields(entry, at + central_size + name_length, extra_length);
      entries.push_back(std::move(entry));
      at += central_size + name_length + extra_length + number(at + 32, 2);
    }
    if (at != directory.end) fail("is a damaged zip archive: its directory has another length than recorded");
    return entries;
  }

  /// The zip64 field holds, in this order, those of three numbers that did not fit into 32 bits.
  void read_wide_fields(Entry& entry, std::uint64_t at, std::uint64_t length) const {
    const std::uint64_t end = at + length;
    while (at + 4 <= end) {
      const std::uint64_t id = number(at, 2);
      const std::uint64_t field_end = at + 4 + number(at + 2, 2);
      at += 4;
      if (id == 1) {
        for (std::uint64_t* value : {&entry.unpacked, &entry.packed, &entry.offset}) {
          if (*value != saturated32) continue;
          if (at + 8 > field_end) fail("is a damaged zip archive: a zip64 field is too short");
          *value = number(at, 8);
          at += 8;
        }
      }
      at = field_end;
    }
  }

  void check_name(const std::string& name) const {
    const bool strange = name.empty() || name.front() == '/' || name.find('\\') != std::string::npos ||
                         name.find('\0') != std::string::npos;
    if (strange || ("/" + name + "/").find("/../") != std::string::npos) {
      fail("has an entry with the forbidden name {}", in_quotes(name));
    }
  }

  void check_sizes(const Entry& entry) const {
    const std::string name = in_quotes(entry.name);
    const bool stored = entry.method == 0;
    if (!stored && entry.method != 8) fail("packs its entry {} in a way that TorchScript does not use", name);
    if ((entry.flags & 1U) != 0) fail("has the encrypted entry {}", name);
    if (entry.packed > bytes_.size()) fail("claims more bytes for its entry {} than the file has", name);
    if (stored && entry.packed != entry.unpacked) fail("gives two sizes for its stored entry {}", name);
    if (entry.unpacked > ratio_free_bytes && entry.unpacked / highest_ratio > entry.packed) {
      fail("claims that its entry {} unpacks from {} to {} bytes", name, entry.packed, entry.unpacked);
    }
  }

  /// Entries lie one after the other before the directory, and their own headers name them as the directory does.
  void check_ranges(std::vector<Entry> entries, std::uint64_t directory) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
    std::uint64_t free_from = 0;
    for (const Entry& entry : entries) {
      const std::string name = in_quotes(entry.name);
      if (entry.offset < free_from) fail("is a damaged zip archive: its entry {} overlaps another", name);
      if (entry.offset > directory || number(entry.offset, 4) != local_signature) {
        fail("is a damaged zip archive: its entry {} is not where the directory says", name);
      }
      const std::uint64_t name_length = number(entry.offset + 26, 2);
      if (text(entry.offset + local_size, name_length) != entry.name) {
        fail("is a damaged zip archive: its entry {} has another name in place", name);
      }
      free_from = entry.offset + local_size + name_length + number(entry.offset + 28, 2) + entry.packed;
      if (free_from > directory) fail("is a damaged zip archive: its entry {} goes beyond the entries", name);
    }
  }

  void check_torchscript(const std::set<std::string>& names) const {
    if (names.empty()) fail("is an empty zip archive");
    const auto is_pickle = [](const std::string& name) { return name.ends_with("/data.pkl"); };
    if (std::none_of(names.begin(), names.end(), is_pickle)) {
      fail("is no TorchScript graph but another zip archive: it has no data.pkl");
    }
    const std::string top = names.begin()->substr(0, names.begin()->find('/'));
    for (const std::string& name : names) {
      if (!name.starts_with(top + "/")) fail("has entries under more than one top folder");
    }
    for (const char* needed : {"constants.pkl", "data.pkl", "version"}) {
      if (names.contains(top + "/" + needed) || names.contains(top + "/.data/" + needed)) continue;
      fail("is no TorchScript graph: it has no {} (a file of torch.save is none; torch.jit.save writes one)", needed);
    }
  }

  /// The name of an entry below the archive's top folder.
  static std::string inside_of(const Entry& entry) { return folded(entry.name.substr(entry.name.find('/') + 1)); }

  static bool is_code(const std::string& inside) {
    return inside.starts_with("code/") && !inside.ends_with(".debug_pkl");
  }

  /// Sizes of the records that a pickle's storages lie in.
  static RecordSize record_sizes(const std::vector<Entry>& entries, const Entry& pickle) {
    const std::string records = folded(pickle.name.substr(0, pickle.name.size() - 4)) + "/";
    // Traced inputs are written without their numbers, and not loaded.
    const bool none = inside_of(pickle) == "traced_inputs.pkl";
    return [&entries, records, none](const std::string& name) -> std::optional<std::uint64_t> {
      return none ? most_size : size_of_entry(entries, records + folded(name));
    };
  }

  /// Reads whatever of the archive libtorch would compile or run: its code, its pickles.
  void check_program(const std::vector<Entry>& entries) const {
    std::uint64_t total = 0;
    for (const Entry& entry : entries) {
      const std::string inside = inside_of(entry);
      const bool pickle = !inside.starts_with("code/") && inside.ends_with(".pkl");
      if (!is_code(inside) && !pickle) continue;
      total += entry.unpacked;
      if (total > most_code) fail("has more than {} MB of code, too much", most_code >> 20U);
      const std::string text = content(entry);
      const std::optional<std::string> fault =
          pickle ? pickle_fault(text, record_sizes(entries, entry)) : source_fault(text);
      if (!fault) continue;
      throw core::refusal(
          kind_, name_,
          pickle ? core::sentence("its {} {}", printable(inside), *fault) : core::sentence("its code {}", *fault));
    }
  }

  /// The bytes of an entry whose place has been checked.
  std::string content(const Entry& entry) const {
    const std::uint64_t begin = entry.offset + local_size + number(entry.offset + 26, 2) + number(entry.offset + 28, 2);
    const std::string packed = text(begin, entry.packed);
    const std::optional<std::string> whole = entry.method == 0 ? packed : inflated(packed, entry.unpacked);
    if (!whole) fail("is a damaged zip archive: its entry {} does not unpack", in_quotes(entry.name));
    if (crc32_z(0, reinterpret_cast<const Bytef*>(whole->data()), whole->size()) != entry.checksum) {
      fail("is a damaged zip archive: its entry {} has another checksum than recorded", in_quotes(entry.name));
    }
    return *whole;
  }

  static std::optional<std::uint64_t> size_of_entry(const std::vector<Entry>& entries, const std::string& folded_name) {
    for (const Entry& entry : entries) {
      if (folded(entry.name) == folded_name) return entry.unpacked;
    }
    return std::nullopt;
  }

  static std::string folded(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  ErrorKind kind_;
};

}  // namespace

void check_graph_archive(const std::filesystem::path& path, ErrorKind kind) {
  const MappedFile file(path, kind);
  check_graph_archive(file.bytes(), path.string(), kind);
}

void check_graph_archive(std::span<const std::byte> archive, const std::string& name, ErrorKind kind) {
  Archive(archive, name, kind).check();
}

std::vector<core::TensorShape> graph_parameters(const std::filesystem::path& path, ErrorKind kind) {
  const MappedFile file(path, kind);
  const std::string name = path.string();
  return Archive(file.bytes(), name, kind).parameters();
}

}  // namespace lapis::io
