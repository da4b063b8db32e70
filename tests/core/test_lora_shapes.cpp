#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/lora_shapes.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

LoraProduct product(const Shapes& shapes) {
  std::vector<TensorShape> held;
  held.reserve(shapes.size());
  LoraTensors tensors;
  for (const auto& [role, shape] : shapes) {
    held.push_back({role, shape});
    tensors[role] = &held.back();
  }
  return product_of(lora_factors(tensors).value(), "a.safetensors: m");
}

void check(const Shapes& shapes, std::int64_t rows, std::int64_t columns, std::optional<std::int64_t> rank) {
  const LoraProduct found = product(shapes);
  CHECK(found.rows == rows);
  CHECK(found.columns == columns);
  CHECK(found.rank == rank);
}

void refused(const Shapes& shapes, const std::string& says) {
  try {
    product(shapes);
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK_THAT(error.what(), Catch::StartsWith("a.safetensors: m") && Catch::Contains(says));
  }
}

}  // namespace

TEST_CASE("what factors multiply to") {
  check({{"down", {4, 320}}, {"up", {640, 4}}}, 640, 320, 4);
  check({{"down", {4, 320, 3, 3}}, {"up", {640, 4, 1, 1}}}, 640, 2880, 4);
  check({{"down", {4, 320, 1, 1}}, {"mid", {4, 4, 3, 3}}, {"up", {640, 4, 1, 1}}}, 640, 2880, 4);
  check({{"hada_w1_a", {64, 4}}, {"hada_w1_b", {4, 32}}, {"hada_w2_a", {64, 4}}, {"hada_w2_b", {4, 32}}}, 64, 32, 4);
  check({{"hada_t1", {4, 4, 3, 3}},
         {"hada_w1_a", {4, 64}},
         {"hada_w1_b", {4, 32}},
         {"hada_t2", {4, 4, 3, 3}},
         {"hada_w2_a", {4, 64}},
         {"hada_w2_b", {4, 32}}},
        64, 288, 4);
  check({{"lokr_w1", {4, 4}}, {"lokr_w2", {16, 8}}}, 64, 32, std::nullopt);
  check({{"lokr_w1", {4, 4}}, {"lokr_w2_a", {16, 2}}, {"lokr_w2_b", {2, 8}}}, 64, 32, 2);
  check({{"lokr_w1_a", {4, 2}}, {"lokr_w1_b", {2, 4}}, {"lokr_w2", {16, 8, 3, 3}}}, 64, 288, 2);
  check({{"lokr_w1", {4, 4}}, {"lokr_t2", {2, 2, 3, 3}}, {"lokr_w2_a", {2, 16}}, {"lokr_w2_b", {2, 8}}}, 64, 288, 2);
  check({{"diff", {64, 32, 3, 3}}}, 64, 288, std::nullopt);
  check({{"diff", {64}}}, 64, 1, std::nullopt);
}

TEST_CASE("factors that do not go together are refused") {
  refused({{"down", {4, 320}}, {"up", {640, 8}}}, "rank 8");
  refused({{"down", {4, 320}}}, "\"up\"");
  refused({{"up", {640, 4}}}, "\"down\"");
  refused({{"down", {4, 320}}, {"mid", {4, 8, 3, 3}}, {"up", {640, 4}}}, "rank 8");
  refused({{"down", {4}}, {"up", {640, 4}}}, "expected a matrix");
  refused({{"down", {0, 320}}, {"up", {640, 0}}}, "expected a matrix");
  refused({{"down", {4, std::int64_t{1} << 40}}, {"up", {640, 4}}}, "expected a matrix");
  refused({{"hada_w1_a", {64, 4}}, {"hada_w1_b", {4, 32}}, {"hada_w2_a", {64, 4}}}, "hada_w2_b");
  refused({{"hada_w1_a", {64, 4}}, {"hada_w1_b", {4, 32}}, {"hada_w2_a", {64, 4}}, {"hada_w2_b", {4, 16}}}, "[64, 16]");
  refused({{"lokr_w1", {4, 4}}, {"lokr_w2_a", {16, 2}}, {"lokr_w2_b", {3, 8}}}, "rank 3");
  refused({{"lokr_w1", {4, 4}}}, "lokr_w2_");
  refused({{"diff", {}}}, "diff is []");
}

TEST_CASE("alone, an alpha or a magnitude is nothing to add") {
  const TensorShape one{"m.alpha", {}};
  CHECK_FALSE(lora_factors({{"alpha", &one}}).has_value());
  CHECK_FALSE(lora_factors({{"dora_scale", &one}}).has_value());
  CHECK_FALSE(lora_factors({{"diff_b", &one}}).has_value());
}
