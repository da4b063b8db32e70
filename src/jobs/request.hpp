// One job of a batch as a request to the pipeline: what it comes to, and doing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/job_list.hpp"
#include "lapis/engine.hpp"
#include "lapis/events.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/outputs.hpp"

namespace lapis::jobs {

/// Models and digests of files, each read once for all jobs of a batch. Not safe to share between threads.
class Files {
 public:
  pipeline::ModelCatalog& models() { return models_; }

  /// The SHA-256 of a file as it was when it was first asked for. Throws Error{input}.
  const std::string& digest(const std::filesystem::path& file);

 private:
  pipeline::ModelCatalog models_;
  std::map<std::filesystem::path, std::string> digests_;
};

/// What a job comes to, known before anything of it is loaded.
struct Outline {
  std::string id;                    ///< sha256 of the job, of what it is made from and of the outputs' names
  std::vector<std::string> outputs;  ///< paths, the pictures first
  EngineOptions engine;              ///< what it runs on
  std::string model;                 ///< whose network it runs most
  std::string folder;                ///< of that model
  std::string load;                  ///< names all that it loads: jobs that share it are done one after the other
  double cost = 0;                   ///< in proportion to its seconds among jobs of one model: pixels by calls
};

/// Plans a job, and names its outputs in it (`name_outputs`). Throws what the command of the job would for what can be
/// known without loading.
Outline outline(BatchJob& job, Files& files);

/// Files that a job begins with, and that a job before it may have made.
std::vector<std::string> inputs_of(const BatchJob& job);

/// The door of the engine that jobs run on, one after the other.
class SharedDoor {
 public:
  /// The one that is there, if it serves these; else a new one in its place.
  pipeline::EngineDoor& of(const EngineOptions& options);
  void close() { door_.reset(); }

 private:
  std::optional<pipeline::EngineDoor> door_;
};

using OnWritten = std::function<void(const pipeline::Written&)>;

/// Does a job that has an outline, and hands over each output once it is written; the folders of outputs are made.
/// Throws what the command of the job would. False where `Events::stop` ended it.
bool run(const BatchJob& job, Files& files, pipeline::EngineDoor& door, const Events& events,
         const pipeline::Outlet& outlet, const OnWritten& on_written);

}  // namespace lapis::jobs
