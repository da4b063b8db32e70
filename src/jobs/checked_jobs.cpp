#include "jobs/checked_jobs.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/text/sentence.hpp"

namespace lapis::jobs {

void sort_by_load(std::vector<CheckedJob>& jobs) {
  std::map<std::string, std::size_t> first;
  for (CheckedJob& job : jobs) {
    const EngineOptions& engine = job.outline.engine;
    const std::string key = core::sentence("{} {} {} {} {}", engine.device, engine.dtype, engine.vae_dtype,
                                           engine.threads, job.outline.load);
    job.turn = first.emplace(key, first.size()).first->second;
  }
  std::ranges::stable_sort(jobs, {}, &CheckedJob::turn);
}

std::optional<double> estimated_seconds(std::span<const CheckedJob> jobs, std::span<const io::JournalRecord> records,
                                        std::size_t workers) {
  std::map<std::string, std::pair<double, double>> seen;  // seconds and cost, by model
  for (const io::JournalRecord& record : records) {
    if (!record.done()) continue;
    seen[record.model].first += record.seconds;
    seen[record.model].second += record.cost;
  }
  double seconds = 0;
  for (const CheckedJob& job : jobs) {
    if (job.is_done) continue;
    const auto model = seen.find(job.outline.model);
    if (model == seen.end() || model->second.second <= 0) return std::nullopt;
    seconds += job.outline.cost * model->second.first / model->second.second;
  }
  return seconds / static_cast<double>(workers);
}

}  // namespace lapis::jobs
