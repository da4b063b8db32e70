// A job that begins with what another one recorded.
#pragma once

#include <set>
#include <string>

#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::core {

/// The job that starts from `latent`: the fields that `named` lists, by key, as in `asked`, all others as in
/// `recorded`, the job that made the latent. Left behind is what the latent itself stands for: what that job started
/// from, its size, its batch, a second pass, where it stopped and, of an unfinished one, its strength; embeddings too,
/// of which a job records names and no files. So is what `model` or a sampler or schedule that was named has no such
/// thing as.
Job taken_up(const Job& recorded, const Job& asked, const std::set<std::string>& named, const Passport& latent,
             const Model& model);

}  // namespace lapis::core
