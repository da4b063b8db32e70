#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/file/text.hpp"
#include "io/graph/graph_program.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t longest_global = 1000;
constexpr std::size_t most_tensors = 50'000;
constexpr std::size_t most_dimensions = 8;
constexpr std::string_view own_code = "__torch__";
constexpr std::string_view rebuild = "_rebuild_tensor_v2";
constexpr std::string_view odd_tensor = "holds a tensor in a form that torch.jit.save does not write";

struct GlobalName {
  std::string_view module;
  std::string_view name;
};

// What torch/csrc/jit/serialization/pickler.cpp writes, but quantized and sparse tensors and remote references.
constexpr std::array globals = std::to_array<GlobalName>({
    {"torch._utils", rebuild},
    {"collections", "OrderedDict"},
    {"builtins", "complex"},
    {"torch", "device"},
    {"torch.jit._pickle", "restore_type_tag"},
    {"torch.jit._pickle", "build_intlist"},
    {"torch.jit._pickle", "build_doublelist"},
    {"torch.jit._pickle", "build_boollist"},
    {"torch.jit._pickle", "build_tensorlist"},
});

struct StorageType {
  std::string_view name;
  std::uint64_t bytes;  ///< of one number
};

constexpr std::array storages = std::to_array<StorageType>({
    {"ByteStorage", 1},
    {"CharStorage", 1},
    {"BoolStorage", 1},
    {"ShortStorage", 2},
    {"HalfStorage", 2},
    {"BFloat16Storage", 2},
    {"IntStorage", 4},
    {"FloatStorage", 4},
    {"LongStorage", 8},
    {"DoubleStorage", 8},
    {"ComplexHalfStorage", 4},
    {"ComplexFloatStorage", 8},
    {"ComplexDoubleStorage", 16},
    {"Float8_e4m3fnStorage", 1},
    {"Float8_e5m2Storage", 1},
});

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

bool is_own_class(std::string_view module, std::string_view name) {
  if (module != own_code && !module.starts_with("__torch__.")) return false;
  return module != "__torch__.torch" && !module.starts_with("__torch__.torch.classes") &&
         name.find('.') == std::string_view::npos;
}

const StorageType* find_storage(std::string_view name) {
  const auto* const row =
      std::find_if(storages.begin(), storages.end(), [&](const StorageType& each) { return each.name == name; });
  return row == storages.end() ? nullptr : row;
}

/// What a value on the unpickler's stack is, as far as storages and named tensors ask for it.
struct Item {
  enum class Kind { other, text, number, storage_type, shape, tensor_maker, tensor } kind = Kind::other;
  std::string_view text;
  std::uint64_t number = 0;  ///< of a shape and a tensor: the place of its shape
};

class PickleScan {
 public:
  PickleScan(std::string_view bytes, const RecordSize& record_size) : rest_(bytes), record_size_(record_size) {}

  std::optional<std::string> fault() {
    if (!rest_.starts_with("\x80\x02")) return "is no pickle of protocol 2, which torch.jit.save writes";
    rest_.remove_prefix(2);
    while (!fault_) {
      const auto opcode = static_cast<unsigned char>(number(1));
      if (fault_) break;
      if (opcode == '.') {
        if (!rest_.empty()) fail("goes on behind its end");
        break;
      }
      read(opcode);
    }
    return fault_;
  }

  std::vector<core::TensorShape> tensors() { return std::move(tensors_); }

 private:
  void fail(std::string_view what) {
    if (!fault_) fault_ = std::string(what);
  }

  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      fail("is cut short");
      return {};
    }
    const std::string_view text = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return text;
  }

  std::uint64_t number(std::size_t width) {
    const std::string_view bytes = take(width);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
    return value;
  }

  void push(Item item = {}) { stack_.push_back(item); }
  void push_number(std::size_t width) { push({Item::Kind::number, {}, number(width)}); }

  void pop(std::size_t count) {
    if (count > stack_.size()) return fail("takes more than it has");
    stack_.resize(stack_.size() - count);
  }

  /// Takes what lies above the last mark, and the mark.
  std::vector<Item> pop_marked() {
    if (marks_.empty() || marks_.back() > stack_.size()) {
      fail("takes more than it has");
      return {};
    }
    std::vector<Item> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  /// A tuple of a few numbers as a tensor's shape; any other tuple as a value that nothing asks for.
  Item shape_of(const std::vector<Item>& items) {
    const bool numbers = std::ranges::all_of(items, [](const Item& item) { return item.kind == Item::Kind::number; });
    if (!numbers || items.empty() || items.size() > most_dimensions) return {};
    std::vector<std::int64_t>& shape = shapes_.emplace_back();
    for (const Item& item : items) shape.push_back(static_cast<std::int64_t>(item.number));
    return {Item::Kind::shape, {}, shapes_.size() - 1};
  }

  void make_tuple(std::vector<Item> items) {
    push(shape_of(items));
    last_tuple_ = std::move(items);
    is_on_tuple_ = true;
  }

  void make_tuple(std::size_t count) {
    if (count > stack_.size()) return fail("takes more than it has");
    std::vector<Item> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    pop(count);
    make_tuple(std::move(items));
  }

  /// Calls what lies below a tuple with it: _rebuild_tensor_v2(storage, offset, shape, ...) gives a tensor.
  void call(bool with_last_tuple) {
    const bool is_tensor = with_last_tuple && stack_.size() > 1 && last_tuple_.size() > 2 &&
                           stack_[stack_.size() - 2].kind == Item::Kind::tensor_maker &&
                           last_tuple_[2].kind == Item::Kind::shape;
    pop(2);
    push(is_tensor ? Item{Item::Kind::tensor, {}, last_tuple_[2].number} : Item{});
  }

  void set(const Item& name, const Item& value) {
    if (name.kind != Item::Kind::text || value.kind != Item::Kind::tensor) return;
    if (tensors_.size() == most_tensors || name.text.size() > longest_global) return;
    tensors_.push_back({std::string(name.text), shapes_[static_cast<std::size_t>(value.number)]});
  }

  void set_marked() {
    const std::vector<Item> items = pop_marked();
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) set(items[i], items[i + 1]);
  }

  void set_one() {
    if (stack_.size() > 1) set(stack_[stack_.size() - 2], stack_.back());
    pop(2);
  }

  void remember(std::uint64_t place) {
    // In their order: libtorch makes room for any number that it reads.
    if (place > memo_.size()) return fail("counts its values in a way that torch.jit.save does not");
    if (stack_.empty()) return fail("takes more than it has");
    if (place == memo_.size()) memo_.emplace_back();
    memo_[static_cast<std::size_t>(place)] = stack_.back();
  }

  void recall(std::uint64_t place) {
    if (place >= memo_.size()) return fail("takes more than it has");
    push(memo_[static_cast<std::size_t>(place)]);
  }

  void read(unsigned char opcode) {
    const bool was_on_tuple = is_on_tuple_;
    is_on_tuple_ = false;
    switch (opcode) {
      case ']':
      case '}':
      case ')':
      case 'N':
      case 0x88:  // true
      case 0x89: return push();
      case '(': return marks_.push_back(stack_.size());
      case 'K': return push_number(1);
      case 'M': return push_number(2);
      case 'J': return push_number(4);
      case 0x8a:  // libtorch takes numbers of eight bytes and no others
        if (number(1) != 8) fail("has a number that torch.jit.save does not write");
        return push_number(8);
      case 'G': take(8); return push();
      case 'X': return read_text();
      case 'c': return read_global();
      case 't': return make_tuple(pop_marked());
      case 0x85: return make_tuple(1);
      case 0x86: return make_tuple(2);
      case 0x87: return make_tuple(3);
      case 'l':
      case 'd': pop_marked(); return push();
      case 'e': pop_marked(); return;
      case 'u': return set_marked();
      case 's': return set_one();
      case 'q':
      case 'r':
        remember(number(opcode == 'q' ? 1 : 4));
        is_on_tuple_ = was_on_tuple;
        return;
      case 'h': return recall(number(1));
      case 'j': return recall(number(4));
      case 0x81: return pop(1);  // a new object: its class stays
      case 'R': return call(was_on_tuple);
      case 'b': pop(2); return push();
      case 'Q':
        if (!was_on_tuple) return fail(odd_tensor);
        return read_storage();
      default: fail("has an opcode that torch.jit.save does not write");
    }
  }

  std::string_view line() {
    const std::size_t length = rest_.find('\n');
    if (length == std::string_view::npos || length > longest_global) {
      fail("is cut short");
      return {};
    }
    const std::string_view text = take(length);
    take(1);
    return text;
  }

  void read_global() {
    const std::string_view module = line();
    const std::string_view name = line();
    if (fault_) return;
    const bool plain = std::all_of(module.begin(), module.end(), is_name_letter) &&
                       std::all_of(name.begin(), name.end(), is_name_letter);
    if (plain && module == "torch" && find_storage(name) != nullptr) {
      return push({Item::Kind::storage_type, name, 0});
    }
    const bool known = std::any_of(globals.begin(), globals.end(),
                                   [&](const GlobalName& row) { return row.module == module && row.name == name; });
    if (plain && name == rebuild && known) return push({Item::Kind::tensor_maker, {}, 0});
    if (plain && (known || is_own_class(module, name))) return push();
    fail(core::sentence("asks for {}, which is neither a tensor nor a class of its own code",
                        printable(std::string(module) + "." + std::string(name))));
  }

  /// A text may be a type, which libtorch would resolve (restore_type_tag).
  void read_text() {
    const std::string_view text = take(static_cast<std::size_t>(number(4)));
    if (text.find("classes") != std::string_view::npos && text.find(own_code) != std::string_view::npos) {
      fail("uses torch.classes, which are written in C++ and not in TorchScript");
    }
    push({Item::Kind::text, text, 0});
  }

  /// ("storage", type, record, device, numbers) is on the stack and becomes a tensor.
  void read_storage() {
    using Kind = Item::Kind;
    constexpr std::array form = {Kind::text, Kind::storage_type, Kind::text, Kind::text, Kind::number};
    const bool fits = std::equal(last_tuple_.begin(), last_tuple_.end(), form.begin(), form.end(),
                                 [](const Item& item, Kind kind) { return item.kind == kind; });
    if (!fits || last_tuple_[0].text != "storage") return fail(odd_tensor);
    pop(1);
    push();
    const std::uint64_t count = last_tuple_[4].number;
    if (count == 0) return;  // libtorch reads no record for it
    const std::string record(last_tuple_[2].text);
    const std::optional<std::uint64_t> size = record_size_(record);
    const std::uint64_t bytes = find_storage(last_tuple_[1].text)->bytes;
    if (size && count <= *size / bytes) return;
    fail(size ? core::sentence("claims {} numbers of {} bytes in {}, which has {} bytes", count, bytes,
                               in_quotes(record), *size)
              : core::sentence("claims {} numbers of {} bytes in {}, which is not there", count, bytes,
                               in_quotes(record)));
  }

  std::string_view rest_;
  const RecordSize& record_size_;
  std::optional<std::string> fault_;
  std::vector<Item> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Item> memo_;
  std::vector<Item> last_tuple_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<core::TensorShape> tensors_;
  bool is_on_tuple_ = false;  ///< the top of the stack is last_tuple_
};

}  // namespace

std::optional<std::string> pickle_fault(std::string_view bytes, const RecordSize& record_size) {
  return PickleScan(bytes, record_size).fault();
}

std::vector<core::TensorShape> pickle_tensors(std::string_view bytes, const RecordSize& record_size) {
  PickleScan scan(bytes, record_size);
  return scan.fault() ? std::vector<core::TensorShape>() : scan.tensors();
}

}  // namespace lapis::io
