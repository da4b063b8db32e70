// What `inspect` finds, as tables and lines for people.
#pragma once

#include <string>
#include <vector>

#include "io/report/inspection_report.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/model.hpp"
#include "lapis/prompt.hpp"
#include "pipeline/rows.hpp"

namespace lapis::pipeline {

/// A model's facts, each with its name before it.
Rows model_rows(const Model& model);

/// Three lines for each part of a model: its graph, what it takes, what it gives.
std::vector<std::string> part_lines(const Model& model);

/// A chunk on a line: ids, each with its weight where that is not 1.
std::string chunk_text(const TokenChunk& chunk);

/// A latent's facts, each with its name before it.
Rows latent_rows(const io::LatentInspection& latent);

/// A head, and the statistics of each channel.
Rows channel_rows(const io::LatentInspection& latent);

/// A head and a row for each picture; of several, the mean of all behind them: of their ratios, not of what those are
/// made from.
Rows drift_rows(const std::vector<io::Drift>& drifts);

}  // namespace lapis::pipeline
