#include "pipeline/background_digests.hpp"

#include <exception>
#include <map>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "io/model/weight_digests.hpp"

namespace lapis::pipeline {
namespace {

constexpr int lowest_priority = 19;

}  // namespace

BackgroundDigests::BackgroundDigests(const Model& model, std::chrono::milliseconds delay) {
  if (io::unknown_weight_digests(model).empty()) return;
  try {
    thread_ = std::jthread([this, &model, delay](const std::stop_token& stop) { take(stop, model, delay); });
  } catch (const std::system_error&) {
    return;  // where no thread can be had, the digests wait for another render
  }
}

void BackgroundDigests::take(const std::stop_token& stop, const Model& model, std::chrono::milliseconds delay) {
  {
    std::unique_lock lock(mutex_);
    ending_.wait_for(lock, stop, delay, [] { return false; });
  }
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), lowest_priority);
  try {
    std::map<std::string, std::string> digests;
    for (const std::string& name : io::unknown_weight_digests(model)) {
      std::optional<std::string> digest = io::file_digest(model, name, stop);
      if (!digest) return;
      digests.emplace(name, std::move(*digest));
    }
    io::record_digests(model, digests);
  } catch (const std::exception&) {
    return;  // a file that went away, a folder that may not be written to
  }
}

}  // namespace lapis::pipeline
