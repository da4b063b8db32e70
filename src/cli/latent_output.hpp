// Where the latents of a job go.
#pragma once

#include <string>
#include <utility>

#include "core/latent/latents.hpp"
#include "lapis/latent.hpp"

namespace lapis::cli {

/// One file for the latents of all pictures of a job, in their order.
class LatentOutput {
 public:
  LatentOutput(std::string path, bool overwrite) : path_(std::move(path)), overwrite_(overwrite) {}

  const std::string& path() const { return path_; }
  bool is_stdout() const { return path_ == "-"; }

  /// Throws if it could not be written, or if standard output, which it is, is a terminal.
  void check() const;

  void add(const Latent& latent) { core::append(latent_, latent); }

  /// Of all that was added.
  const Latent& latent() const { return latent_; }

  /// Writes them with a passport that has this digest, job and history. Returns the sha256 of the file.
  std::string write(Passport passport) const;

 private:
  std::string path_;
  bool overwrite_;
  Latent latent_;
};

}  // namespace lapis::cli
