#include "engine/part.hpp"

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <cerrno>
#include <optional>

#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "engine/failure.hpp"
#include "engine/runner.hpp"
#include "engine/torchscript_runner.hpp"
#include "engine/weights.hpp"
#include "io/file/mapped_file.hpp"
#include "io/graph/graph_archive.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

struct LoadedPart::State {
  std::string name;
  std::string graph;  // its file
  Placement placement;
  std::optional<Weights> weights;  // its tensors must outlive the runner that borrows them
  std::unique_ptr<Runner> runner;
  PartAttachments attachments;  // that are bound
  std::vector<Port> inputs;
  std::size_t outputs = 0;
  double seconds = 0;
};

namespace {

/// The first line of libtorch's message; the rest is its own stack.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Binds those of the tensors that are defined, and returns how many that were.
std::size_t bind_all(Runner& runner, const std::vector<at::Tensor>& tensors) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].defined()) continue;
    runner.bind(i, tensors[i]);
    ++count;
  }
  return count;
}

}  // namespace

LoadedPart::LoadedPart(const Part& part, const std::string& name, Placement placement,
                       const PartAttachments& attachments)
    : state_(std::make_unique<State>()) {
  c10::InferenceMode inference;
  state_->name = name;
  state_->placement = placement;
  state_->inputs = part.inputs;
  state_->outputs = part.outputs.size();
  state_->graph = part.graph.string();
  io::check_graph_archive(part.graph);
  if (!part.weights.empty()) state_->weights.emplace(part, name);
  try {
    state_->runner = load_torchscript(part, placement);
    state_->attachments = attachments;
    if (!state_->weights) return;
    bind_all(*state_->runner, state_->weights->bound(state_->runner->parameters(), placement, attachments));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // libtorch's parser throws more than c10::Error
    if (is_shortage()) throw;
    if (is_lack_of_files()) io::fail_unreadable(part.graph, ErrorKind::model, EMFILE);
    const auto* torch = dynamic_cast<const c10::Error*>(&error);
    throw Error(ErrorKind::model, core::sentence("{}: libtorch cannot load this graph: {}", part.graph.string(),
                                                 first_line(torch ? torch->what_without_backtrace() : error.what())));
  }
}

LoadedPart::~LoadedPart() = default;
LoadedPart::LoadedPart(LoadedPart&&) noexcept = default;
LoadedPart& LoadedPart::operator=(LoadedPart&&) noexcept = default;

std::size_t LoadedPart::attach(const PartAttachments& attachments) {
  if (attachments == state_->attachments) return 0;
  std::size_t count = 0;
  if (state_->weights) {
    c10::InferenceMode inference;
    const Weights::Wanted touched = touched_by(state_->attachments, attachments);
    count = bind_all(*state_->runner,
                     state_->weights->bound(state_->runner->parameters(), state_->placement, attachments, touched));
  }
  state_->attachments = attachments;
  return count;
}

const PartAttachments& LoadedPart::attachments() const { return state_->attachments; }

std::uint64_t LoadedPart::bytes() const { return state_->runner->bytes(); }

std::vector<at::Tensor> LoadedPart::run(const std::vector<at::Tensor>& inputs) {
  try {
    return call(inputs);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (is_shortage()) throw;
    throw Error(ErrorKind::model, core::sentence("{} fails as {}: {}.", state_->graph, state_->name, gist_of(error)),
                "Restore the file, or export the model again.");
  }
}

std::vector<at::Tensor> LoadedPart::call(const std::vector<at::Tensor>& inputs) {
  c10::InferenceMode inference;
  const core::Stopwatch watch;
  std::vector<at::Tensor> outputs = state_->runner->run(inputs);
  state_->seconds += watch.seconds();
  if (outputs.size() < state_->outputs) {
    throw Error(ErrorKind::model, core::sentence("part {} returned {} tensors; model.json declares {}", state_->name,
                                                 outputs.size(), state_->outputs));
  }
  return outputs;
}

double LoadedPart::seconds() const { return state_->seconds; }

Placement LoadedPart::placement() const { return state_->placement; }

bool LoadedPart::takes_scalar(std::size_t input) const {
  return input < state_->inputs.size() && state_->inputs[input].shape.empty();
}

std::string LoadedPart::input_names() const { return state_->runner->input_names(); }

}  // namespace lapis::engine
