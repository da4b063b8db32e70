#include "pipeline/named_latent.hpp"

namespace lapis::pipeline {

NamedLatent named_latent(const io::LatentSource& source, const io::LatentHints& hints) {
  return {source.name(), io::read_latent(source.bytes(), source.name(), hints)};
}

}  // namespace lapis::pipeline
