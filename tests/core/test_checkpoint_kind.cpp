#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "graph_shapes.hpp"

using namespace lapis::core;
using lapis::test::graph_names;
using lapis::test::graph_tensors;

namespace {

using Checkpoint = std::vector<TensorShape>;

const std::vector<KnownGraph>& known_graphs() {
  static const std::vector<KnownGraph> graphs = [] {
    std::vector<KnownGraph> found;
    for (const std::string& name : graph_names) {
      found.push_back({name, lapis::test::graph_facts(name).at("part"), graph_tensors(name)});
    }
    return found;
  }();
  return graphs;
}

/// The tensors of a graph as a checkpoint holds them.
Checkpoint tensors_of(const std::string& graph, KeyScheme key_scheme, const std::string& prefix) {
  Checkpoint tensors = checkpoint_tensors(key_scheme, graph_tensors(graph));
  for (TensorShape& tensor : tensors) tensor.name = prefix + tensor.name;
  return tensors;
}

Checkpoint operator+(Checkpoint one, const Checkpoint& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

Checkpoint vae(const std::string& kind, KeyScheme key_scheme, const std::string& prefix) {
  return tensors_of(kind + "-vae-decoder", key_scheme, prefix) + tensors_of(kind + "-vae-encoder", key_scheme, prefix);
}

Checkpoint sd15() {
  return tensors_of("sd15-unet", KeyScheme::ldm_unet, "model.diffusion_model.") +
         vae("sd", KeyScheme::ldm_vae, "first_stage_model.") +
         tensors_of("clip-l", KeyScheme::clip, "cond_stage_model.transformer.") + Checkpoint{{"betas", {1000}}};
}

Checkpoint sdxl() {
  return tensors_of("sdxl-unet", KeyScheme::ldm_unet, "model.diffusion_model.") +
         vae("sd", KeyScheme::ldm_vae, "first_stage_model.") +
         tensors_of("clip-l", KeyScheme::clip, "conditioner.embedders.0.transformer.") +
         tensors_of("clip-g", KeyScheme::open_clip, "conditioner.embedders.1.model.");
}

CheckpointKind kind_of(const Checkpoint& checkpoint) { return identify(checkpoint, known_graphs()); }

std::set<std::string> names(const std::vector<GraphMatch>& matches) {
  std::set<std::string> found;
  for (const GraphMatch& graph : matches) found.insert(graph.graph);
  return found;
}

TensorShape& find(Checkpoint& checkpoint, const std::string& name) {
  const auto found = std::ranges::find(checkpoint, name, &TensorShape::name);
  REQUIRE(found != checkpoint.end());
  return *found;
}

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("whole checkpoints are told with all their parts") {
  const CheckpointKind first = kind_of(sd15());
  CHECK(first.title == "Stable Diffusion 1.5");
  CHECK(first.known);
  CHECK(names(first.complete) == Names{"sd15-unet", "sd-vae-decoder", "sd-vae-encoder", "clip-l"});
  CHECK(first.partial.empty());
  CHECK(first.extra.size() == 1);
  CHECK(first.extra.front().name == "betas");
  const auto unet = std::ranges::find(first.complete, "sd15-unet", &GraphMatch::graph);
  CHECK(unet->prefix == "model.diffusion_model.");
  CHECK(unet->key_scheme == KeyScheme::ldm_unet);
  CHECK(unet->wanted == 686);

  const CheckpointKind second = kind_of(sdxl());
  CHECK(second.title == "Stable Diffusion XL");
  CHECK(names(second.complete) == Names{"sdxl-unet", "sd-vae-decoder", "sd-vae-encoder", "clip-l", "clip-g"});
  CHECK(second.extra.size() == 0);
}

TEST_CASE("every graph alone is told as itself, in every naming and behind every prefix") {
  for (const std::string& name : graph_names) {
    for (const KeySchemeRow& row : key_schemes()) {
      if (!applies(row.key_scheme, graph_tensors(name))) continue;
      for (const std::string& prefix : row.prefixes) {
        CAPTURE(name, row.name, prefix);
        const CheckpointKind kind = kind_of(tensors_of(name, row.key_scheme, prefix));
        CHECK(names(kind.complete) == Names{name});
        CHECK(kind.partial.empty());
        CHECK(kind.extra.size() == 0);
        CHECK(kind.known);
      }
    }
  }
}

TEST_CASE("the graph that uses more of a checkpoint is the one") {
  const Checkpoint dev = tensors_of("flux-dev", KeyScheme::flux, "");
  CHECK(kind_of(dev).title == "FLUX.1 dev");
  Checkpoint schnell = dev;
  std::erase_if(schnell, [](const TensorShape& tensor) { return tensor.name.starts_with("guidance_in."); });
  CHECK(kind_of(schnell).title == "FLUX.1 schnell");
  const CheckpointKind inpainting =
      kind_of(tensors_of("sd15-inpaint-unet", KeyScheme::ldm_unet, "model.diffusion_model."));
  CHECK(inpainting.title == "Stable Diffusion 1.5 inpainting");
  CHECK(inpainting.partial.empty());
}

TEST_CASE("what is missing or has another shape is named") {
  Checkpoint checkpoint = sd15();
  const std::string prefix = "model.diffusion_model.";
  std::erase_if(checkpoint, [](const TensorShape& tensor) { return tensor.name.ends_with("out.2.bias"); });
  find(checkpoint, prefix + "time_embed.0.weight").shape = {1280, 321};
  const CheckpointKind kind = kind_of(checkpoint);
  CHECK(names(kind.complete) == Names{"sd-vae-decoder", "sd-vae-encoder", "clip-l"});
  CHECK(kind.title == "parts without a denoiser");
  REQUIRE(kind.partial.size() == 1);
  const GraphMatch& unet = kind.partial.front();
  CHECK(unet.graph == "sd15-unet");
  CHECK(unet.fitting() == 684);
  CHECK(unet.missing.first == std::vector<std::string>{prefix + "out.2.bias"});
  CHECK(unet.shape_mismatch.first ==
        std::vector<std::string>{prefix + "time_embed.0.weight is [1280, 321], expected [1280, 320]"});
  CHECK(kind.extra.size() == 1);  // betas
}

TEST_CASE("only the first few of many are kept") {
  Checkpoint checkpoint = sdxl();
  for (TensorShape& tensor : checkpoint) {
    if (tensor.name.find(".attn2.to_k.") != std::string::npos) tensor.shape[1] = 1024;
  }
  const CheckpointKind kind = kind_of(checkpoint);
  REQUIRE(kind.partial.size() == 1);
  CHECK(kind.partial.front().shape_mismatch.count == 70);
  CHECK(kind.partial.front().shape_mismatch.first.size() == listing_length);
}

TEST_CASE("a linear layer stored as a 1x1 convolution fits, a 3x3 one does not") {
  Checkpoint checkpoint = vae("sd", KeyScheme::ldm_vae, "first_stage_model.");
  TensorShape& query = find(checkpoint, "first_stage_model.decoder.mid.attn_1.q.weight");
  CHECK(query.shape == std::vector<std::int64_t>{512, 512});
  query.shape = {512, 512, 1, 1};
  CHECK(kind_of(checkpoint).partial.empty());
  query.shape = {512, 512, 3, 3};
  CHECK(names(kind_of(checkpoint).partial) == Names{"sd-vae-decoder"});
}

TEST_CASE("parts alone are told as such") {
  CHECK(kind_of(vae("sd", KeyScheme::diffusers_old, "")).title == "a VAE alone");
  CHECK(kind_of(vae("flux", KeyScheme::ldm_vae, "")).title == "a VAE alone");
  CHECK(kind_of(tensors_of("t5-xxl", KeyScheme::t5_tied, "")).title == "a text encoder alone");
  CHECK(kind_of(tensors_of("clip-l", KeyScheme::clip_bare, "")).title == "a text encoder alone");
}

TEST_CASE("Stable Diffusion 2 is no Stable Diffusion 1.5 with another width") {
  Checkpoint checkpoint = tensors_of("sd15-unet", KeyScheme::ldm_unet, "model.diffusion_model.");
  for (TensorShape& tensor : checkpoint) {
    if (tensor.name.find(".attn2.to_k.") != std::string::npos ||
        tensor.name.find(".attn2.to_v.") != std::string::npos) {
      tensor.shape[1] = 1024;
    }
  }
  const CheckpointKind kind = kind_of(checkpoint);
  CHECK(kind.title == "Stable Diffusion 2");
  CHECK_FALSE(kind.known);
  CHECK(names(kind.partial) == Names{"sd15-unet"});
}

TEST_CASE("the nearest graph of an unknown checkpoint is named, and none where nothing fits") {
  const Checkpoint few = {{"model.diffusion_model.time_embed.0.weight", {1280, 320}},
                          {"model.diffusion_model.label_emb.0.0.weight", {1280, 2816}},
                          {"model.diffusion_model.strange", {1}}};
  const CheckpointKind kind = kind_of(few);
  CHECK(kind.title.empty());
  REQUIRE(kind.nearest.size() == 1);
  CHECK(kind.nearest.front().graph == "sdxl-unet");
  CHECK(kind.extra.size() == 3);
  CHECK(kind_of({{"strange", {1, 2, 3}}}).nearest.empty());
  CHECK(kind_of({}).title.empty());
}
