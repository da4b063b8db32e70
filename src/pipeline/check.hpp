// Whether latents, models and VAEs go together, from headers and model.json alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/latent/latent_formats.hpp"
#include "io/report/check_report.hpp"
#include "lapis/job.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// A latent that the caller has read, and what messages call it.
struct NamedPassport {
  std::string name;
  Passport passport;
};

/// What is asked.
struct CheckAsked {
  std::vector<std::string> latents;  ///< files, "-" for standard input
  std::optional<NamedPassport> passport;
  std::vector<std::string> models;  ///< names or folders
  std::string to;                   ///< a space or a model; empty: none
  std::string vae;                  ///< a model, or a folder in diffusers' form; empty: none
  std::optional<PixelSize> size;    ///< that the picture is to have
  std::string size_text;            ///< the same as it was said
  io::LatentHints hints;
};

/// What is asked of things by their words: files are latents, all others models. Throws Error{usage} where there is
/// nothing, and no VAE either.
CheckAsked check_asked(const std::vector<std::string>& things, const std::string& vae);

/// Every finding, in the order in which things were named. Throws as reading their headers does.
std::vector<io::Checked> check(const CheckAsked& asked, ModelCatalog& catalog);

/// A finding for people: its verdict, then what led to it, indented; names of fields are marked in the advice.
std::vector<std::string> finding_lines(const io::Checked& checked);

}  // namespace lapis::pipeline
