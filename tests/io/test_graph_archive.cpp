#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "io/graph_archive.hpp"
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

/// An entry as a zip archive would describe it, honest unless told otherwise.
struct Entry {
  std::string name;
  std::string data = "x";
  std::uint64_t method = 0;
  std::uint64_t flags = 0;
  std::uint64_t unpacked = 1;
  std::uint64_t packed = 1;
  std::string local_name = name;
};

std::vector<Entry> graph_entries() {
  return {{"g/data.pkl"}, {"g/constants.pkl"}, {"g/version"}, {"g/code/__torch__.py"}};
}

std::string zip(const std::vector<Entry>& entries) {
  std::string body;
  std::string directory;
  for (const Entry& entry : entries) {
    const std::string facts = number(entry.flags, 2) + number(entry.method, 2) + number(0, 8) +
                              number(entry.packed, 4) + number(entry.unpacked, 4) + number(entry.name.size(), 2);
    directory += "PK\1\2" + number(0, 4) + facts + std::string(12, '\0') + number(body.size(), 4) + entry.name;
    body += "PK\3\4" + number(0, 2) + facts + number(0, 2) + entry.local_name + entry.data;
  }
  return body + directory + "PK\5\6" + number(0, 4) + number(entries.size(), 2) + number(entries.size(), 2) +
         number(directory.size(), 4) + number(body.size(), 4) + number(0, 2);
}

void check(const std::string& archive) { check_graph_archive(as_bytes(archive), "g.pt"); }

void check_refused(const std::string& archive, const std::string& reason) {
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
    CHECK_NOTHROW(check_graph_archive(std::string(LAPIS_TESTS_DIR) + "/../models/graphs/" + name + ".pt"));
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
  CHECK_NOTHROW(check(zip({{"g/data.pkl"}, {"g/constants.pkl"}, {"g/.data/version"}})));
  check_refused(zip({{"g/data.pkl"}, {"g/constants.pkl"}, {"g/.data/other"}}), "it has no version");
}

TEST_CASE("names that could leave a folder are refused") {
  CHECK_NOTHROW(check(graph_with({"g/..a/b"})));
  check_refused(graph_with({"g/../../etc/passwd"}), "forbidden name");
  check_refused(graph_with({"../g/a"}), "forbidden name");
  check_refused(graph_with({"/etc/passwd"}), "forbidden name");
  check_refused(graph_with({"g\\a"}), "forbidden name");
  check_refused(graph_with({std::string("g/a\0b", 5)}), "forbidden name");
  check_refused(graph_with({"h/a"}), "more than one top folder");
  check_refused(graph_with({"g/version"}), "\"g/version\" twice");
}

TEST_CASE("sizes that cannot be true are refused") {
  CHECK_NOTHROW(check(graph_with({"g/a", "xx", 8, 0, 20, 2})));
  check_refused(graph_with({"g/a", "xx", 0, 0, 3, 2}), "two sizes");
  check_refused(graph_with({"g/a", "xx", 8, 0, 20, 4'000'000'000}), "more bytes");
  check_refused(graph_with({"g/a", "xx", 8, 0, 4'000'000'000, 2}), "unpacks from 2 to 4000000000");
  check_refused(graph_with({"g/a", "xx", 8, 0, 20, 3}), "goes beyond the entries");
}

TEST_CASE("packing that TorchScript does not use is refused") {
  check_refused(graph_with({"g/a", "x", 12}), "packs its entry");
  check_refused(graph_with({"g/a", "x", 0, 1}), "encrypted");
}

TEST_CASE("an entry must be where and what the directory says") {
  Entry renamed{"g/a"};
  renamed.local_name = "g/b";
  check_refused(graph_with(renamed), "another name in place");

  std::string overlapping = zip(graph_entries());
  const std::size_t second = overlapping.find("PK\1\2", overlapping.find("PK\1\2") + 1);
  overlapping.replace(second + 42, 4, number(1, 4));
  check_refused(overlapping, "overlaps");
}

TEST_CASE("what is no zip archive is refused") {
  check_refused("", "too short");
  check_refused(std::string(100, 'x'), "end of a zip archive is missing");
  check_refused(zip(graph_entries()) + "trailing", "end of a zip archive is missing");
  check_refused(zip({}), "empty");
  std::string moved = zip(graph_entries());
  moved.replace(moved.size() - 6, 4, number(7, 4));
  check_refused(moved, "its directory is not where");
  check_fails(ErrorKind::model, {"does not exist"}, [] { check_graph_archive("no.pt"); });
}
