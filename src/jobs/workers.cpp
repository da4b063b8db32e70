#include "jobs/workers.hpp"

#include <algorithm>
#include <poll.h>
#include <utility>

namespace lapis::jobs {

std::optional<std::size_t> Workers::idle() const {
  const auto found = std::ranges::find(places_, false, &Place::is_busy);
  if (found == places_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - places_.begin());
}

bool Workers::is_busy() const { return std::ranges::any_of(places_, &Place::is_busy); }

void Workers::give(std::size_t worker, const io::Message& message) {
  Place& place = places_[worker];
  if (place.process != nullptr && place.process->line().is_ended()) place.process.reset();  // it died without work
  if (place.process == nullptr) place.process = std::make_unique<io::ChildProcess>(work_);
  place.is_busy = true;
  place.process->line().send(message);
}

Workers::News Workers::wait(std::optional<int> also) {
  std::vector<pollfd> awaited;
  for (const Place& place : places_)
    awaited.push_back({place.process ? place.process->line().descriptor() : -1, POLLIN, 0});
  awaited.push_back({also.value_or(-1), POLLIN, 0});
  if (::poll(awaited.data(), awaited.size(), -1) <= 0) return {};
  News news;
  news.can_read = awaited.back().revents != 0;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (awaited[i].revents == 0) continue;
    io::MessageLine& line = place.process->line();
    const bool is_ended = line.is_ended();  // before what it said last is read
    while (std::optional<io::Message> message = line.received()) news.heard.push_back({i, std::move(*message), ""});
    if (!is_ended) continue;
    news.heard.push_back({i, {}, place.process->end_text()});
    place.process.reset();
  }
  return news;
}

void Workers::ask_to_end() {
  for (Place& place : places_) {
    if (place.process) place.process->line().end();
  }
}

}  // namespace lapis::jobs
