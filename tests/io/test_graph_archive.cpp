#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>
#include <zlib.h>

#include "../folder.hpp"
#include "io/graph/graph_archive.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

std::string number(std::uint64_t value, int width) {
  std::string text;
  for (int i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// The least that is a pickle.
const std::string least_pickle = "\x80\x02N.";

/// An entry as a zip archive would describe it, honest unless told otherwise.
struct Entry {
  std::string name;
  std::string data = "x";
  std::uint64_t method = 0;
  std::uint64_t flags = 0;
  std::uint64_t unpacked = data.size();
  std::uint64_t packed = data.size();
  std::string local_name = name;
  std::uint64_t checksum = crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size());
};

std::vector<Entry> graph_entries(const std::string& code = "def f(x: Tensor) -> Tensor:\n  return torch.add(x, x)\n") {
  return {
      {"g/data.pkl", least_pickle}, {"g/constants.pkl", least_pickle}, {"g/version"}, {"g/code/__torch__.py", code}};
}

std::string zip(const std::vector<Entry>& entries) {
  std::string body;
  std::string directory;
  for (const Entry& entry : entries) {
    const std::string facts = number(entry.flags, 2) + number(entry.method, 2) + number(0, 4) +
                              number(entry.checksum, 4) + number(entry.packed, 4) + number(entry.unpacked, 4) +
                              number(entry.name.size(), 2);
    directory += "PK\1\2" + number(0, 4) + facts + std::string(12, '\0') + number(body.size(), 4) + entry.name;
    body += "PK\3\4" + number(0, 2) + facts + number(0, 2) + entry.local_name + entry.data;
  }
  return body + directory + "PK\5\6" + number(0, 4) + number(entries.size(), 2) + number(entries.size(), 2) +
         number(directory.size(), 4) + number(body.size(), 4) + number(0, 2);
}

void check(const std::string& archive) { check_graph_archive(as_bytes(archive), "g.pt"); }

void check_archive_refused(const std::string& archive, const std::string& reason) {
  check_fails(ErrorKind::model, {"g.pt", reason}, [&] { check(archive); });
}

/// A graph with one entry more.
std::string graph_with(const Entry& entry) {
  std::vector<Entry> entries = graph_entries();
  entries.push_back(entry);
  return zip(entries);
}

}  // namespace

TEST_CASE("a graph that torch wrote passes") {
  CHECK_NOTHROW(check_graph_archive(data_file("graph.pt")));
  CHECK_NOTHROW(check(zip(graph_entries())));
  for (const char* name : {"sdxl-unet", "flux-dev", "sd-vae-decoder", "clip-g", "t5-xxl"}) {
    CHECK_NOTHROW(check_graph_archive(lapis::test::models() / "graphs" / (std::string(name) + ".pt")));
  }
}

TEST_CASE("a file of torch.save is no graph") {
  check_fails(ErrorKind::model, {"not_a_graph.pt", "constants.pkl", "torch.jit.save"},
              [] { check_graph_archive(data_file("not_a_graph.pt")); });
}

TEST_CASE("a graph cut anywhere is refused") {
  const std::string whole = read_text(data_file("graph.pt"));
  std::size_t refused = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto error = error_of([&] { check(whole.substr(0, length)); });
    if (error && error->kind() == ErrorKind::model) ++refused;
  }
  CHECK(refused == whole.size());
}

TEST_CASE("flipped bits in a graph give an error or nothing, never a crash") {
  const std::string whole = read_text(data_file("graph.pt"));
  std::size_t refused = 0;
  for (std::size_t at = whole.size() - 1400; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    if (error_of([&] { check(damaged); })) ++refused;
  }
  CHECK(refused > 700);
}

TEST_CASE("the version of the operators may stand under its newer name") {
  CHECK_NOTHROW(check(zip({{"g/data.pkl", least_pickle}, {"g/constants.pkl", least_pickle}, {"g/.data/version"}})));
  check_archive_refused(zip({{"g/data.pkl", least_pickle}, {"g/constants.pkl", least_pickle}, {"g/.data/other"}}),
                        "it has no version");
}

TEST_CASE("names that could leave a folder are refused") {
  CHECK_NOTHROW(check(graph_with({"g/..a/b"})));
  check_archive_refused(graph_with({"g/../../etc/passwd"}), "forbidden name");
  check_archive_refused(graph_with({"../g/a"}), "forbidden name");
  check_archive_refused(graph_with({"/etc/passwd"}), "forbidden name");
  check_archive_refused(graph_with({"g\\a"}), "forbidden name");
  check_archive_refused(graph_with({std::string("g/a\0b", 5)}), "forbidden name");
  check_archive_refused(graph_with({"h/a"}), "more than one top folder");
  check_archive_refused(graph_with({"g/version"}), "\"g/version\" twice");
  check_archive_refused(graph_with({"g/Version"}), "\"g/Version\" twice");  // one to libtorch's reader
}

TEST_CASE("sizes that cannot be true are refused") {
  CHECK_NOTHROW(check(graph_with({"g/a", "xx", 8, 0, 20, 2})));
  check_archive_refused(graph_with({"g/a", "xx", 0, 0, 3, 2}), "two sizes");
  check_archive_refused(graph_with({"g/a", "xx", 8, 0, 20, 4'000'000'000}), "more bytes");
  check_archive_refused(graph_with({"g/a", "xx", 8, 0, 4'000'000'000, 2}), "unpacks from 2 to 4000000000");
  check_archive_refused(graph_with({"g/a", "xx", 8, 0, 20, 3}), "goes beyond the entries");
}

TEST_CASE("packing that TorchScript does not use is refused") {
  check_archive_refused(graph_with({"g/a", "x", 12}), "packs its entry");
  check_archive_refused(graph_with({"g/a", "x", 0, 1}), "encrypted");
}

TEST_CASE("an entry must be where and what the directory says") {
  Entry renamed{"g/a"};
  renamed.local_name = "g/b";
  check_archive_refused(graph_with(renamed), "another name in place");

  std::string overlapping = zip(graph_entries());
  const std::size_t second = overlapping.find("PK\1\2", overlapping.find("PK\1\2") + 1);
  overlapping.replace(second + 42, 4, number(1, 4));
  check_archive_refused(overlapping, "overlaps");
}

TEST_CASE("code that reaches beyond tensors is refused before libtorch sees it") {
  const std::string code = "def f(x: Tensor) -> Tensor:\n  _0 = torch.save(x, \"/tmp/a\")\n  return x\n";
  check_archive_refused(zip(graph_entries(code)),
                        "its code calls aten::save, which writes a file.\nNo picture needs that");
  check_archive_refused(graph_with({"g/code/a/b.py", code}), "aten::save");
  check_archive_refused(graph_with({"g/CODE/a/b.py", code}), "aten::save");  // one place to libtorch's reader
  CHECK_NOTHROW(check(graph_with({"g/code/a/b.py.debug_pkl", code})));
  CHECK_NOTHROW(check(graph_with({"g/data/0", code})));
}

TEST_CASE("pickles that name anything but tensors and own classes are refused") {
  const std::string hostile =
      "\x80\x02"
      "cos\nsystem\nX\x02" +
      std::string(3, '\0') + "ls\x85R.";
  check_archive_refused(graph_with({"g/traced_inputs.pkl", hostile}), "its traced_inputs.pkl asks for os.system");
  std::vector<Entry> entries = graph_entries();
  entries.front() = {"g/data.pkl", hostile};
  check_archive_refused(zip(entries), "its data.pkl asks for os.system");
}

TEST_CASE("code that is not what its checksum says is damage") {
  std::vector<Entry> entries = graph_entries();
  entries.back().checksum ^= 1U;
  check_archive_refused(zip(entries), "another checksum");
  entries = graph_entries();
  entries.back().method = 8;
  check_archive_refused(zip(entries), "does not unpack");
}

TEST_CASE("an error may be of the kind that its reader asks for") {
  check_fails(ErrorKind::input, {"g.pt"}, [] { check_graph_archive(as_bytes("x"), "g.pt", ErrorKind::input); });
}

TEST_CASE("every graph that lapis brings passes") {
  const std::filesystem::path models = lapis::test::models();
  int graphs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models)) {
    if (entry.path().extension() != ".pt") continue;
    INFO(entry.path());
    CHECK_NOTHROW(check_graph_archive(entry.path()));
    ++graphs;
  }
  CHECK(graphs > 20);
}

TEST_CASE("what is no zip is refused") {
  check_archive_refused("", "too short");
  check_archive_refused(std::string(100, 'x'), "end of a zip archive is missing");
  check_archive_refused(zip(graph_entries()) + "trailing", "end of a zip archive is missing");
  check_archive_refused(zip({}), "empty");
  std::string moved = zip(graph_entries());
  moved.replace(moved.size() - 6, 4, number(7, 4));
  check_archive_refused(moved, "its directory is not where");
  check_fails(ErrorKind::model, {"does not exist"}, [] { check_graph_archive("no.pt"); });
}
