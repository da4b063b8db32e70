// What several reports say in JSON, and how. For the report files alone.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/latent/space_match.hpp"
#include "io/report/report.hpp"
#include "lapis/latent.hpp"

namespace lapis::io {

/// The text; null where it is empty.
nlohmann::ordered_json text_or_null(const std::string& text);

/// The object that `text`, which may be anybody's, is as JSON; none where it is none, or is nested so deeply that
/// printing it could exhaust the stack.
std::optional<nlohmann::ordered_json> object_in(const std::string& text);

/// dB: "infinite" for equal pictures; null where nothing was measured.
nlohmann::ordered_json psnr_json(const std::optional<double>& psnr);

/// What a latent went through.
nlohmann::ordered_json history_json(std::span<const Transcode> history);

/// Readings of a latent of unknown origin, in their order.
nlohmann::ordered_json matches_json(std::span<const core::SpaceMatch> matches);

/// Whose seconds a line tells: of a job that draws, or of a command that takes latents through a VAE alone.
enum class TimingsOf { job, latents };

/// Seconds by their keys in a line's order, to the microsecond: more digits are noise.
nlohmann::ordered_json timings_json(const RunTimings& run, TimingsOf whose);

}  // namespace lapis::io
