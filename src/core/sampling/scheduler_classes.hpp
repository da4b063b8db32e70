// The schedulers of diffusers: which sampler each class names, and what lapis makes of every key of its configuration.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "lapis/sampling.hpp"

namespace lapis::core {

/// One row per class.
struct SchedulerClass {
  std::string_view name;
  Path path = Path::variance_exploding;
  std::string_view sampler = {};  ///< a row of samplers(); empty: lapis has no such sampler, but draws with its models
  std::string_view schedule = "own";
  std::array<std::string_view, 8> keys = {};  ///< of the configuration that the class reads: groups, blanks between
  BetaCurve curve = BetaCurve::linear;        ///< where the configuration says none
  double beta_start = 0.0001;                 ///< where the configuration says none
  double beta_end = 0.02;                     ///< where the configuration says none
  Spacing spacing = Spacing::linspace;        ///< where the configuration says none
  std::string_view refused = {};              ///< why models with it are not taken; empty: they are
};

std::span<const SchedulerClass> scheduler_classes();

/// The row of this name; null where there is none.
const SchedulerClass* find_scheduler_class(std::string_view name);

/// Whether the class reads `key`.
bool reads(const SchedulerClass& row, std::string_view key);

/// What a key is to lapis.
enum class KeyUse {
  training,  ///< tells how a network that predicts noise or v was trained: a fact of the model, whatever the class
  flow,      ///< tells how a flow was trained: a fact of the model, whatever the class
  sampling,  ///< becomes the sampler or the schedule of jobs that name none
  only,      ///< another value than those that are accepted is refused
  noted,     ///< with another value than those that are accepted lapis has its own way, and says so
  unused     ///< changes nothing that lapis computes
};

/// One row per key, or a key of one class.
struct SchedulerKey {
  std::string_view name;
  KeyUse use;
  std::string_view accepted = {};  ///< of `only` and `noted`: values in JSON, a bar between; null is accepted always
  std::string_view why = {};       ///< ends "KEY is VALUE; "
  std::string_view of = {};        ///< the class that the row is of; empty: any other
};

std::span<const SchedulerKey> scheduler_keys();

/// The row of `key` in a configuration of `row`; null for a key that no class of the table reads.
const SchedulerKey* find_scheduler_key(const SchedulerClass& row, std::string_view key);

/// Whether `value`, in JSON, is among those that `key` accepts; numbers are compared as numbers.
bool accepts(const SchedulerKey& key, std::string_view value);

}  // namespace lapis::core
