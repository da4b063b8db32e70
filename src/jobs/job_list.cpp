#include "jobs/job_list.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/sha256.hpp"
#include "io/file/shortage.hpp"
#include "pipeline/job_words.hpp"

namespace lapis::jobs {
namespace {

constexpr std::size_t longest_line = std::size_t{4} << 20;  ///< more than any job takes
constexpr std::size_t longest_prompt = std::size_t{1} << 20;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

Error too_long(const std::string& where) {
  return {ErrorKind::input,
          core::sentence("{}: the line is longer than {} bytes, which no job is", where, longest_line)};
}

std::vector<std::string> read_prompts(const std::string& path) {
  if (path.empty()) return {};
  io::LineReader lines(path, longest_prompt);
  std::vector<std::string> prompts;
  while (std::optional<io::Line> line = lines.next()) {
    const std::string where = core::sentence("{}, line {}", lines.name(), line->number);
    if (line->is_too_long) throw Error(ErrorKind::input, core::sentence("{}: no prompt is that long", where));
    if (core::first_bad_utf8(line->text)) {
      throw Error(ErrorKind::input, core::sentence("{} is not UTF-8. Save the file as UTF-8", where));
    }
    if (!is_blank(line->text)) prompts.push_back(std::move(line->text));
  }
  if (prompts.empty()) throw Error(ErrorKind::usage, core::sentence("{} holds no prompt: all lines are blank", path));
  return prompts;
}

/// A job with the defaults for what it does not say.
void take_defaults(io::JobLine& line, const pipeline::AskedJob& defaults) {
  pipeline::AskedJob fitting = defaults;
  std::erase_if(fitting.named, [&](const std::string& key) { return !io::takes_field(line.command, key); });
  pipeline::AskedJob whole = pipeline::merged(std::move(fitting), {line.job, line.named});
  // What the command does not take stays where the defaults hold it, unnamed, and nobody asks for it.
  line.job = std::move(whole.job);
  line.named = std::move(whole.named);
}

/// Says a field of a line, as text has it.
void say(BatchJob& job, const std::string& key, const std::string& value) {
  io::JobLine& line = job.said;
  const core::JobField& field = core::find_job_field(key);
  if (!io::takes_field(line.command, key)) {
    throw Error(ErrorKind::usage, core::sentence("command \"{}\" has no {}. Leave it out for such lines", line.command,
                                                 core::field_name(key)));
  }
  core::set_field(line.job, field, value);
  line.named.insert(key);
  job.overruled.insert(key);
}

}  // namespace

JobList::JobList(ListAsked asked)
    : asked_(std::move(asked)),
      prompts_(read_prompts(asked_.prompts)),
      is_product_(!prompts_.empty() || !asked_.axes.empty() || asked_.file.empty()) {
  check_axes(asked_.axes);
  if (!asked_.file.empty()) lines_.emplace(asked_.file, longest_line);
}

BatchJob JobList::parsed(const std::string& text, std::size_t line) const {
  BatchJob job;
  job.place.text = text;
  job.place.line = line;
  job.line = line;
  job.where = line_text(line);
  try {
    if (lines_) job.said = io::read_job_line(text, job.where);
    take_defaults(job.said, asked_.defaults);
  } catch (const std::exception&) {
    job.fault = io::handled_error();
  }
  return job;
}

std::string JobList::line_text(std::size_t line) const {
  return lines_ ? core::sentence("{}, line {}", lines_->name(), line) : "the batch";
}

std::string JobList::where(const JobPoint& point) const {
  const std::string text = line_text(point.line);
  return is_product_ ? core::sentence("{}, job {}", text, point.number) : text;
}

std::optional<BatchJob> JobList::next_line() {
  if (!lines_) return count_ == 0 ? std::optional(parsed("", 0)) : std::nullopt;
  std::optional<io::Line> line = lines_->next();
  while (line && !line->is_too_long && is_blank(line->text)) line = lines_->next();
  if (!line) return std::nullopt;
  BatchJob job = parsed(line->is_too_long ? "" : line->text, line->number);
  if (line->is_too_long) job.fault = too_long(job.where);
  return job;
}

/// How many jobs a line comes to.
std::size_t JobList::products() const { return std::max<std::size_t>(prompts_.size(), 1) * combinations(asked_.axes); }

std::optional<BatchJob> JobList::next() {
  if (!line_ || place_ == products()) {
    line_ = next_line();
    place_ = 0;
    if (!line_) return std::nullopt;
  }
  BatchJob job = *line_;
  job.place.product = place_;
  job.place.number = ++count_;
  job.place.seed = next_seed(job.place);
  place_ = job.fault ? products() : place_ + 1;  // of one that is no job there is no product
  fill(job);
  return job;
}

BatchJob JobList::again(const JobPlace& place) const {
  BatchJob job = parsed(place.text, place.line);
  job.place = place;
  fill(job);
  return job;
}

std::optional<int> JobList::awaited() const {
  if (!lines_ || (line_ && place_ < products())) return std::nullopt;
  return lines_->awaited();
}

/// Gives a line's job its place in the product.
void JobList::fill(BatchJob& job) const {
  if (!is_product_) return;
  job.line = job.place.number;
  job.where = where(point_of(job));
  if (job.fault) return;
  const std::size_t each = combinations(asked_.axes);
  try {
    if (!prompts_.empty()) say(job, "prompt", prompts_[job.place.product / each]);
    const std::vector<std::size_t> chosen = places(asked_.axes, job.place.product % each);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      say(job, asked_.axes[i].key, asked_.axes[i].values[chosen[i]]);
    }
  } catch (const std::exception&) {
    job.fault = at(job.where, io::handled_error());
  }
}

/// Jobs that differ in their axes alone share a seed, so that the axes are all that is to be seen; a line that is there
/// twice has two.
std::uint64_t JobList::next_seed(const JobPlace& place) {
  const std::size_t each = combinations(asked_.axes);
  std::string text = place.text;
  if (!prompts_.empty()) text += '\n' + prompts_[place.product / each];
  const TextKey key = text_key(text);
  const std::uint64_t times = place.product % each == 0 ? seen_[key]++ : seen_[key] - 1;
  const std::string whole = core::sentence("{} {}", times, text);
  return std::stoull(io::sha256(std::as_bytes(std::span(whole))).substr(0, 16), nullptr, 16);
}

Error at(const std::string& where, const Error& error) {
  return {error.kind(), core::sentence("{}: {}", where, error.marked_problem()), error.marked_advice()};
}

}  // namespace lapis::jobs
