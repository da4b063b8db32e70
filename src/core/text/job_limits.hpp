// The numbers a job may ask for, and the sizes a picture may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lapis::core {

/// The lowest and the highest value of a number, both allowed.
struct Limits {
  double lowest;
  double highest;
};

constexpr Limits side_limits = {64, 16384};  ///< of a picture's width and height, in pixels
constexpr Limits crop_limits = {0, 16384};   ///< of a place in a picture, in pixels
constexpr Limits step_limits = {1, 1000};
constexpr Limits guidance_limits = {0, 100};
constexpr Limits rescale_limits = {0, 1};
constexpr Limits eta_limits = {0, 1};
constexpr Limits shift_limits = {0.01, 100};
constexpr Limits strength_limits = {0, 1};
constexpr Limits hires_limits = {1, 8};
constexpr Limits batch_limits = {1, 1024};
constexpr Limits thread_limits = {0, 1024};

/// `value` in the fewest digits that read back the same: 7.5, 3, 0.18215, 100000; with an exponent only where Python's
/// repr has one.
std::string number_text(double value);

/// A number of things for people: "1 tensor", "3 tensors".
std::string count_text(std::uint64_t count, std::string_view thing);

/// The bytes that "4GB", "512 MiB" or "1000000" says; none for a text that says none.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// A count of bytes for people, in three digits and decimal units: "41.5 kB", "4.27 GB".
std::string bytes_text(std::uint64_t bytes);

/// What is wrong with `value`, as in "width is 8; expected 64 to 16384", or none where it lies within `limits`.
std::optional<std::string> limit_problem(std::string_view name, double value, Limits limits);

/// What is wrong with a seed that `pictures` pictures count on from: "seed is N; with 2 pictures it can be at most
/// M".
std::optional<std::string> seed_problem(std::string_view name, std::uint64_t seed, std::uint64_t pictures);

/// What is wrong with one side of a picture whose sides are multiples of `multiple`, with the nearest good sizes:
/// "width is 513; expected a multiple of 8: 512 or 520". None where nothing is.
std::optional<std::string> side_problem(std::string_view name, std::int64_t value, int multiple);

}  // namespace lapis::core
