// Latents on disk: safetensors with the tensor "latent" and its passport as text metadata. docs/latent-format.md is the
// grammar.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

using lapis::LatentDocument;

/// Reads a passport alone: the file's header is looked at, and no number. Every departure from the grammar throws
/// Error{input}, a contradiction between the space's name and its numbers Error{incompatible}; `name` is the file it
/// speaks of.
Passport parse_passport(std::span<const std::byte> file, const std::string& name);

/// Reads all of it. NaN and Inf are Error{input} unless `any_number`.
LatentDocument parse_latent(std::span<const std::byte> file, const std::string& name, bool any_number = false);

/// The file's bytes. The same document gives the same bytes, and reading them gives the document, values rounded to the
/// passport's dtype. Throws Error{numeric} for a value that is not finite or too large for the dtype, Error{usage} for
/// text that is not UTF-8. A passport that could not be read again is a programmer's mistake: Error{internal}.
std::vector<std::byte> latent_bytes(const LatentDocument& document);

/// The digest that latents of a model carry: the sha256 over what model.json records of the weight files of its VAE
/// encoder and decoder, in that order, each followed by a newline (a part without weight files has its graph's, one out
/// of a checkpoint that holds other parts too its own); empty for a model that has neither.
std::string vae_digest(const Model& model);

/// Whether a digest is one of the model's VAE. A part with weight files has two, that of its files and that of its
/// tensors, of which a model and an import of it record one each: `vae_digest` over either is the VAE's. Reads the
/// weights where what is recorded does not decide. Throws Error{model} where they cannot be read.
bool has_vae(const Model& model, const std::string& digest);

/// A file's latent as the engine takes it: in model units, without what its file says beside.
Latent to_latent(const LatentDocument& document);

/// The document of an engine's latent. `passport` says its units, dtype, digest, job and history; all else is the
/// latent's own. A partially denoised one in other than model units is Error{usage}.
LatentDocument to_document(const Latent& latent, Passport passport);

}  // namespace lapis::io
