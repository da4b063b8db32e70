#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "io/latent/npy.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

/// A file of version 1.0 with this header and these data.
std::string npy_file(const std::string& header, const std::string& elements) {
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + elements;
}

std::string header_of(const std::string& descr, const std::string& order, const std::string& shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

void check_npy_refused(const std::string& file, const std::string& reason) {
  INFO(reason);
  check_fails(ErrorKind::input, {"a.npy", reason}, [&] { parse_npy(as_bytes(file), "a.npy"); });
}

}  // namespace

TEST_CASE("arrays of NumPy are read and written to the byte") {
  for (const std::string name : {"plain.npy", "plain_f16.npy", "one.npy", "flux_packed.npy"}) {
    INFO(name);
    const std::string file = latent_data(name);
    CHECK(begins_as_npy(as_bytes(file)));
    const TensorView tensor = parse_npy(as_bytes(file), name);
    CHECK(as_text(npy_bytes(tensor)) == file);
  }
  const std::string plain = latent_data("plain.npy");
  const TensorView tensor = parse_npy(as_bytes(plain), "plain.npy");
  CHECK(tensor.dtype == Dtype::f32);
  CHECK(tensor.shape == std::vector<std::int64_t>{1, 4, 3, 2});
  const std::string second = latent_data("version2.npy");
  CHECK(as_text(parse_npy(as_bytes(second), "version2.npy").data) == as_text(tensor.data));
  CHECK_THROWS(npy_bytes({Dtype::bf16, {1}, tensor.data.first(2)}));
  CHECK_THROWS(npy_bytes({Dtype::f32, {2}, tensor.data.first(4)}));
}

TEST_CASE("arrays that would lose something are refused with what to do") {
  check_npy_refused(latent_data("float64.npy"), "float64");
  check_npy_refused(latent_data("float64.npy"), "astype(\"<f4\")");
  check_npy_refused(latent_data("fortran.npy"), "ascontiguousarray");
  check_npy_refused(latent_data("big_endian.npy"), "big-endian");
  check_npy_refused(npy_file(header_of("'<i4'", "False", "(1,)"), "0123"), "\"<i4\"");
  check_npy_refused(npy_file(header_of("[('a', '<f4')]", "False", "(1,)"), "0123"), "[('a', '<f4')]");
}

TEST_CASE("headers are read strictly") {
  const std::string good = header_of("'<f4'", "False", "(1,)");
  CHECK(parse_npy(as_bytes(npy_file(good, "0123")), "a.npy").shape == std::vector<std::int64_t>{1});
  CHECK(parse_npy(as_bytes(npy_file(header_of("\"<f4\"", "False", "( 1 , 1 )"), "0123")), "a.npy").shape.size() == 2);
  CHECK(parse_npy(as_bytes(npy_file(header_of("'<f4'", "False", "()"), "0123")), "a.npy").shape.empty());
  check_npy_refused(npy_file(good, "012"), "cut short");
  check_npy_refused(npy_file(good, "01234"), "1 bytes follow");
  check_npy_refused(npy_file("[]", ""), "no \"{\"");
  check_npy_refused(npy_file("{'descr': '<f4', 'descr': '<f4'}", ""), "twice");
  check_npy_refused(npy_file("{'descr': '<f4'}", ""), "lacks \"shape\"");
  check_npy_refused(npy_file("{'descr: 1", ""), "to end a value");
  check_npy_refused(npy_file("{'more': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "0123"), "\"more\"");
  check_npy_refused(npy_file(good + "x", "0123"), "behind the dict");
  check_npy_refused(npy_file(header_of("'<f4'", "Maybe", "(1,)"), "0123"), "\"Maybe\"");
  for (const std::string shape : {"(-1,)", "(1 1)", "(1.5,)", "1", "(x)", "[1]", "(99999999999999999999,)", "(,)"}) {
    check_npy_refused(npy_file(header_of("'<f4'", "False", shape), "0123"), "its shape is");
  }
  check_npy_refused(npy_file(header_of("'<f4'", "False", "(4611686018427387904, 4)"), "0123"), "too large");
}

TEST_CASE("a .npy file cut anywhere is refused, and one with a flipped bit does no harm") {
  const std::string whole = latent_data("plain.npy");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK(error_of([&] { parse_npy(as_bytes(whole.substr(0, length)), "a.npy"); }).has_value());
  }
  for (std::size_t at = 0; at < 128; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      CHECK_NOTHROW(error_of([&] { parse_npy(as_bytes(damaged), "a.npy"); }));
    }
  }
  std::string later = whole;
  later[6] = 4;
  check_npy_refused(later, "version 4.0");
  std::string second = latent_data("version2.npy");
  second[10] = 1;  // of a header that then has 65536 bytes more
  check_npy_refused(second, "10000 are the most");
}
