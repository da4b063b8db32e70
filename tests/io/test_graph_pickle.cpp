#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/graph/graph_program.hpp"

using namespace lapis::io;

namespace {

std::optional<std::uint64_t> size_of(const std::string& record) {
  static const std::map<std::string, std::uint64_t> records = {{"0", 800}};
  const auto found = records.find(record);
  return found == records.end() ? std::nullopt : std::optional(found->second);
}

std::string fault_of_pickle(const std::string& bytes) { return pickle_fault(bytes, size_of).value_or(""); }

std::string text(const std::string& value) {
  return std::string("X") + static_cast<char>(value.size()) + std::string(3, '\0') + value;
}

std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }

/// A storage as torch.jit.save writes it; `count` is the opcode and bytes of how many numbers it has.
std::string storage(const std::string& count, const std::string& record = "0",
                    const std::string& type = "FloatStorage") {
  return "((" + text("storage") + std::string("q\0", 2) + global("torch", type) + "q\x01" + text(record) + "q\x02" +
         text("cpu") + "q\x03" + count + "tQq\x04t";
}

const std::string two_hundred = "K\xc8";

}  // namespace

TEST_CASE("tensors, lists and classes of the archive's own code pass") {
  CHECK(fault_of_pickle(pickle("N")).empty());
  CHECK(fault_of_pickle(pickle(global("__torch__", "Net") + ")\x81}(" + text("a") + "K\x01ub")).empty());
  CHECK(fault_of_pickle(pickle(global("__torch__.torch.nn.modules.conv.___torch_mangle_3", "Conv2d"))).empty());
  CHECK(fault_of_pickle(pickle(global("torch._utils", "_rebuild_tensor_v2") + storage(two_hundred) + "R")).empty());
  CHECK(fault_of_pickle(pickle(storage(std::string("M\x00\x00", 3), "no"))).empty());  // nothing is read
  CHECK(fault_of_pickle(pickle(global("torch.jit._pickle", "build_intlist") + "(](K\x01K\x02etR")).empty());
  CHECK(fault_of_pickle(pickle(text("Dict[str, __torch__.Net]"))).empty());
  const auto bytes = [](std::size_t count) { return std::string(count, '\x01'); };
  CHECK(fault_of_pickle(pickle("(K" + bytes(1) + "M" + bytes(2) + "J" + bytes(4) + "\x8a\x08" + bytes(8) + "G" +
                               bytes(8) + std::string("tq\0r\1\0\0\0h\0j\1\0\0\0\x87", 16)))
            .empty());
}

TEST_CASE("tensors under a name are told with their shapes") {
  const auto tensor = [&](const std::string& shape) {
    return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage(two_hundred) + "K" + std::string(1, '\0') +
           shape + "(K\x01t\x89" + "tR";
  };
  const std::string bytes = pickle(global("__torch__", "Net") + ")\x81}(" + text("a") + "K\x01" + text("w/x") +
                                   tensor(std::string("(K\x02M\x00\x01t", 7)) + text("number") + tensor(")") + "u" +
                                   text("b") + tensor("(K\x07t") + "sb");
  CHECK(fault_of_pickle(bytes).empty());
  const std::vector<lapis::core::TensorShape> tensors = pickle_tensors(bytes, size_of);
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].name == "w/x");
  CHECK(tensors[0].shape == std::vector<std::int64_t>{2, 256});
  CHECK(tensors[1].name == "b");
  CHECK(tensors[1].shape == std::vector<std::int64_t>{7});
  CHECK(pickle_tensors(bytes + ".", size_of).empty());
}

TEST_CASE("anything else that is named is refused") {
  for (const auto& [module, name] : {std::pair<const char*, const char*>{"os", "system"},
                                     {"posix", "system"},
                                     {"builtins", "eval"},
                                     {"torch", "load"},
                                     {"torch", "QInt8Storage"},
                                     {"torch.jit._pickle", "build_tensor_from_id"},
                                     {"torch._utils", "_rebuild_qtensor"},
                                     {"torch._utils", "_rebuild_sparse_tensor"},
                                     {"torch.distributed.rpc", "rref"},
                                     {"__torch__.torch.classes.quantized", "Conv2dPackedParamsBase"},
                                     {"__torch__.torch", "classes"},
                                     {"__torch__", "torch.classes.a.B"},
                                     {"__torch__x", "Net"}}) {
    INFO(module << "." << name);
    CHECK_THAT(fault_of_pickle(pickle(global(module, name))), Catch::Contains("asks for " + std::string(module)));
  }
  CHECK_THAT(fault_of_pickle(pickle(global("__torch__", "a b"))), Catch::Contains("asks for"));
  CHECK_THAT(fault_of_pickle(pickle(text("List[__torch__ . torch.classes.a.B]"))), Catch::Contains("torch.classes"));
}

TEST_CASE("a storage may not claim more than its record holds") {
  CHECK(fault_of_pickle(pickle(storage(two_hundred))).empty());  // 200 of 4 bytes in 800
  CHECK_THAT(fault_of_pickle(pickle(storage("K\xc9"))),
             Catch::Contains("claims 201 numbers of 4 bytes in \"0\", which has 800"));
  CHECK_THAT(fault_of_pickle(pickle(storage(two_hundred, "0", "DoubleStorage"))),
             Catch::Contains("claims 200 numbers of 8"));
  CHECK_THAT(fault_of_pickle(pickle(storage("J\xff\xff\xff\xff"))), Catch::Contains("claims 4294967295"));
  CHECK_THAT(fault_of_pickle(pickle(storage("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\xff"))),
             Catch::Contains("claims 1844"));
  CHECK_THAT(fault_of_pickle(pickle(storage(two_hundred, "1"))), Catch::Contains("in \"1\", which is not there"));
  const std::string odd = "a form that torch.jit.save does not write";
  CHECK_THAT(fault_of_pickle(pickle("(" + text("storage") + "tK\x01Q")), Catch::Contains(odd));
  CHECK_THAT(fault_of_pickle(pickle("(" + text("storage") + text("0") + "tQ")), Catch::Contains(odd));
  CHECK_THAT(fault_of_pickle(pickle(storage(global("torch", "FloatStorage")))), Catch::Contains(odd));
}

TEST_CASE("places in the memory must come in their order") {
  CHECK(fault_of_pickle(pickle(std::string("Nq\0r\1\0\0\0q\0", 10))).empty());
  CHECK_THAT(fault_of_pickle(pickle(std::string("Nr\xff\xff\xff\x7f", 6))), Catch::Contains("counts its values"));
  CHECK_THAT(fault_of_pickle(pickle(std::string("h\0", 2))), Catch::Contains("more than it has"));
}

TEST_CASE("a stack that runs empty is refused") {
  for (const char* body : {"t", "R", "NR", "\x81", "\x86", "e", "s", "(t\x87"}) {
    CHECK_THAT(fault_of_pickle(pickle(body)), Catch::Contains("more than it has"));
  }
}

TEST_CASE("opcodes that torch.jit.save does not write are refused") {
  for (const char opcode : {'i', 'o', '\x93', '\x94', '\x95', '\x8c', 'U', 'P', '0', '2', 'V', 'I', 'a'}) {
    CHECK_THAT(fault_of_pickle(pickle(std::string(1, opcode) + "os\nsystem\n")), Catch::Contains("an opcode"));
  }
  CHECK_THAT(fault_of_pickle("\x80\x04N."), Catch::Contains("protocol 2"));
  CHECK_THAT(fault_of_pickle(""), Catch::Contains("protocol 2"));
}

TEST_CASE("a pickle cut anywhere, or longer than itself, is refused") {
  const std::string whole = pickle(global("torch._utils", "_rebuild_tensor_v2") + storage(two_hundred) + "R");
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(fault_of_pickle(whole.substr(0, length)).empty());
  CHECK(fault_of_pickle(whole).empty());
  CHECK_THAT(fault_of_pickle(whole + "N"), Catch::Contains("behind its end"));
  CHECK_THAT(fault_of_pickle("\x80\x02X\xff\xff\xff\xff"
                             "abc."),
             Catch::Contains("cut short"));
}
