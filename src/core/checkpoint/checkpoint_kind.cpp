#include "core/checkpoint/checkpoint_kind.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/checkpoint/known_relatives.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

using Shape = std::vector<std::int64_t>;
using Shapes = std::unordered_map<std::string, const Shape*>;

/// Whether two shapes are the same but for a 1x1 kernel's sizes.
bool same_bytes(std::span<const std::int64_t> one, std::span<const std::int64_t> other) {
  const auto trimmed = [](std::span<const std::int64_t> shape) {
    while (shape.size() > 1 && shape.back() == 1) shape = shape.first(shape.size() - 1);
    return shape;
  };
  return std::ranges::equal(trimmed(one), trimmed(other));
}

// Matching graphs with a checkpoint.

/// A graph in one key scheme: what a checkpoint of it holds.
struct NamedGraph {
  const KnownGraph* graph;
  const KeySchemeRow* row;
  std::vector<TensorShape> tensors;
};

GraphMatch matched(const NamedGraph& named, const std::string& prefix, const Shapes& checkpoint) {
  GraphMatch match{named.graph->name, named.graph->part, named.row->key_scheme, prefix, named.tensors.size(), {}, {}};
  for (const TensorShape& tensor : named.tensors) {
    const auto found = checkpoint.find(prefix + tensor.name);
    if (found == checkpoint.end()) {
      append(match.missing, prefix + tensor.name);
    } else if (!same_bytes(*found->second, tensor.shape)) {
      append(match.shape_mismatch, sentence("{}{} is {}, expected {}", prefix, tensor.name, shape_text(*found->second),
                                            shape_text(tensor.shape)));
    }
  }
  return match;
}

/// A match, with the names of the graph's tensors in the checkpoint.
struct Candidate {
  GraphMatch match;
  const NamedGraph* named;
};

/// Every match of any of the graphs with at least one tensor: complete ones first, the largest of them first, then by
/// the share of tensors that match.
std::vector<Candidate> candidates(std::span<const NamedGraph> named, const Shapes& checkpoint) {
  std::vector<Candidate> found;
  for (const NamedGraph& graph : named) {
    for (const std::string& prefix : graph.row->prefixes) {
      GraphMatch match = matched(graph, prefix, checkpoint);
      if (match.fitting() > 0) found.push_back({std::move(match), &graph});
    }
  }
  std::ranges::stable_sort(found, [](const Candidate& one, const Candidate& other) {
    const GraphMatch& a = one.match;
    const GraphMatch& b = other.match;
    if (a.complete() != b.complete()) return a.complete();
    if (a.complete()) return a.wanted > b.wanted;
    return a.fitting() * b.wanted > b.fitting() * a.wanted;
  });
  return found;
}

/// Names of the checkpoint that some graph holds already.
using Claims = std::unordered_set<std::string>;

bool is_free(const Candidate& candidate, const Claims& claims) {
  return std::ranges::none_of(candidate.named->tensors, [&](const TensorShape& tensor) {
    return claims.contains(candidate.match.prefix + tensor.name);
  });
}

void claim(const Candidate& candidate, const Shapes& checkpoint, Claims& claims) {
  for (const TensorShape& tensor : candidate.named->tensors) {
    const std::string name = candidate.match.prefix + tensor.name;
    if (checkpoint.contains(name)) claims.insert(name);
  }
}

// Titles.

struct TitleRow {
  std::string_view graph;
  std::string_view title;
};

constexpr TitleRow titles[] = {
    {"sd15-unet", "Stable Diffusion 1.5"},
    {"sd15-inpaint-unet", "Stable Diffusion 1.5 inpainting"},
    {"sdxl-unet", "Stable Diffusion XL"},
    {"sdxl-refiner-unet", "Stable Diffusion XL refiner"},
    {"flux-dev", "FLUX.1 dev"},
    {"flux-schnell", "FLUX.1 schnell"},
};

std::string title_of(std::span<const GraphMatch> complete) {
  for (const GraphMatch& match : complete) {
    for (const TitleRow& row : titles) {
      if (row.graph == match.graph) return std::string(row.title);
    }
  }
  const auto all_begin = [&](std::string_view part) {
    return !complete.empty() &&
           std::ranges::all_of(complete, [&](const GraphMatch& match) { return match.part.starts_with(part); });
  };
  if (all_begin("vae_")) return "a VAE alone";
  if (all_begin("text_encoder")) return complete.size() > 1 ? "text encoders alone" : "a text encoder alone";
  return complete.empty() ? "" : "parts without a denoiser";
}

}  // namespace

void append(Listing& listing, std::string line) {
  if (++listing.count <= listing_length) listing.first.push_back(std::move(line));
}

std::string listing_text(const Listing& listing) {
  const std::string text = joined(listing.first, "; ");
  const std::size_t more = listing.count - listing.first.size();
  return more == 0 ? text : sentence("{}; and {} more", text, more);
}

CheckpointKind identify(std::span<const TensorShape> checkpoint, std::span<const KnownGraph> graphs) {
  Shapes shapes;
  for (const TensorShape& tensor : checkpoint) shapes.emplace(tensor.name, &tensor.shape);
  std::vector<NamedGraph> named;
  for (const KnownGraph& graph : graphs) {
    for (const KeySchemeRow& row : key_schemes()) {
      if (applies(row.key_scheme, graph.tensors)) {
        named.push_back({&graph, &row, checkpoint_tensors(row.key_scheme, graph.tensors)});
      }
    }
  }
  CheckpointKind kind;
  Claims claims;
  const std::vector<Candidate> all = candidates(named, shapes);
  for (const Candidate& candidate : all) {
    if (2 * candidate.match.fitting() < candidate.match.wanted || !is_free(candidate, claims)) continue;
    claim(candidate, shapes, claims);
    (candidate.match.complete() ? kind.complete : kind.partial).push_back(candidate.match);
  }
  if (kind.complete.empty() && kind.partial.empty() && !all.empty()) {
    const auto fitting = [](const Candidate& candidate) { return candidate.match.fitting(); };
    kind.nearest.push_back(std::ranges::max_element(all, {}, fitting)->match);
  }
  for (const TensorShape& tensor : checkpoint) {
    if (!claims.contains(tensor.name)) kind.extra.push_back(tensor);
  }
  const bool draws =
      std::ranges::any_of(kind.complete, [](const GraphMatch& match) { return match.part == "denoiser"; });
  kind.relative = draws ? nullptr : find_relative(checkpoint);
  kind.title = kind.relative != nullptr ? std::string(kind.relative->title) : title_of(kind.complete);
  kind.known = kind.relative == nullptr && !kind.complete.empty();
  return kind;
}

}  // namespace lapis::core
