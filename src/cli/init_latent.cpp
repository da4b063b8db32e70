#include "cli/init_latent.hpp"

#include <unistd.h>

#include "core/recorded_job.hpp"
#include "core/samplers.hpp"
#include "core/suggest.hpp"
#include "core/verdict.hpp"
#include "io/job_json.hpp"
#include "io/latent_file.hpp"
#include "io/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

InitLatent::InitLatent(const AskedJob& asked) {
  const std::string& path = *asked.job.init_latent;
  if (path == "-" && isatty(STDIN_FILENO) != 0) {
    throw Error(ErrorKind::usage,
                "--init-latent - would read a latent from the terminal. Pipe it: lapis generate ... < a.safetensors");
  }
  const io::LatentSource source(path);
  name_ = source.name();
  sha256_ = io::sha256(source.bytes());
  read_ = io::read_latent(source.bytes(), name_, {});
  const bool needed = !asked.named.contains("prompt") || !asked.named.contains("model") || passport().sigma > 0;
  if (needed && !passport().job.empty()) recorded_ = io::job_from_json(passport().job, name_);
}

void InitLatent::check_space(const Model& model) const {
  core::Destination to;
  to.name = model.name;
  to.space = model.space;
  to.vae_sha256 = io::vae_digest(model);
  to.reads_unfinished = true;
  to.path = path_of(model.sampling.prediction);
  core::Means means;
  means.may_convert = false;
  core::require(core::judge(name_, passport(), read_.layout, to, means));
}

Job InitLatent::completed(const AskedJob& asked, const Model& model) const {
  const bool prompt = asked.named.contains("prompt");
  if (!prompt && !recorded_) {
    throw Error(ErrorKind::usage, "there is no prompt, and " + name_ +
                                      " records none.\nSay what the picture shows: lapis generate \"a lake\" "
                                      "--init-latent FILE");
  }
  if (!prompt && !recorded_->embeddings.empty() && !asked.named.contains("embeddings")) {
    throw Error(ErrorKind::usage, "the prompt that " + name_ + " records calls the embeddings " +
                                      core::listed(recorded_->embeddings) +
                                      ".\nName their files: --embedding NAME=FILE");
  }
  const bool takes_up = recorded_ && (!prompt || passport().sigma > 0);
  Job job = takes_up ? core::taken_up(*recorded_, asked.job, asked.named, passport(), model) : asked.job;
  job.init_latent = "sha256:" + sha256_;
  return job;
}

Latent InitLatent::latent(const ResolvedJob& job) {
  Latent latent = io::to_latent(read_.document);
  if (latent.memory.empty()) return latent;
  const bool own = recorded_ && recorded_->sampler && core::find_sampler(*recorded_->sampler).name == job.sampler;
  if (!own) {
    latent.memory.clear();
    notes_.push_back(name_ + ": what " + (recorded_ ? recorded_->sampler.value_or("its sampler") : "its sampler") +
                     " remembered is left out; " + job.sampler + " begins anew");
  }
  return latent;
}

}  // namespace lapis::cli
