#include "jobs/job_messages.hpp"

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"

namespace lapis::jobs {
namespace {

constexpr const char* yes = "yes";
constexpr const char* end_word = "end";

}  // namespace

io::Message message_of(const HandedJob& job) {
  const JobPlace& place = job.place;
  return {place.text,
          std::to_string(place.line),
          std::to_string(place.product),
          std::to_string(place.number),
          std::to_string(place.seed),
          job.is_ours ? yes : ""};
}

HandedJob handed_job(const io::Message& message) {
  const JobPlace place = {message.at(0), std::stoull(message.at(1)), std::stoull(message.at(2)),
                          std::stoull(message.at(3)), std::stoull(message.at(4))};
  return {place, message.at(5) == yes};
}

io::Message message_of(const JobEnd& end) {
  if (!end.error) return {end_word, end.stopped ? yes : ""};
  return {end_word,
          "",
          std::to_string(static_cast<int>(end.error->kind())),
          end.error->marked_problem(),
          end.error->marked_advice(),
          end.is_lost ? yes : ""};
}

JobEnd job_end(const io::Message& message) {
  if (message.size() == 2) return {message.at(1) == yes, std::nullopt, false};
  return {false, Error(static_cast<ErrorKind>(std::stoi(message.at(2))), message.at(3), message.at(4)),
          message.at(5) == yes};
}

Error lost_worker(const std::string& end) {
  const ErrorKind kind = end.starts_with("SIGKILL") ? ErrorKind::device : ErrorKind::internal;
  return {kind, core::sentence("the process that did it is no more: {}.", end),
          core::marked("Where memory ran out, take fewer {workers}, or less {memory}")};
}

}  // namespace lapis::jobs
