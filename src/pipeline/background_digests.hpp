// Digests of linked weights, taken while a long render has the program busy anyway.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "lapis/model.hpp"

namespace lapis::pipeline {

/// As long as it lives, and from `delay` after its beginning on, takes the digests of a model's weight files that
/// model.json lacks, on a thread of the lowest priority, and writes them there for later pictures: a picture's own
/// settings have what was known when it was begun. What is not done by the end is given up; nothing of it is an error.
/// `model` must outlive it.
class BackgroundDigests {
 public:
  /// A render that is over within the delay is not worth reading gigabytes for.
  explicit BackgroundDigests(const Model& model, std::chrono::milliseconds delay = std::chrono::seconds(5));

 private:
  void take(const std::stop_token& stop, const Model& model, std::chrono::milliseconds delay);

  std::mutex mutex_;
  std::condition_variable_any ending_;
  std::jthread thread_;  ///< stopped and joined before the rest goes
};

}  // namespace lapis::pipeline
