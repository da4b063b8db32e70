#include "jobs/contact_sheet.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/atomic_file.hpp"
#include "io/picture/picture_reader.hpp"
#include "io/picture/png.hpp"
#include "io/report/sheet_page.hpp"
#include "pipeline/output_names.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

constexpr int longest_side = 256;  ///< of a picture, in pixels
constexpr int shortest_side = 128;
constexpr int caption_scale = 2;
constexpr std::size_t longest_caption = 40;  ///< in bytes, where a sheet is a picture
constexpr std::size_t longest_heading = 80;
constexpr core::Colour ink = {32, 35, 42};

/// The value of an axis that a job has, as text.
std::string value_of(const Axis& axis, std::size_t place) {
  return core::sentence("{} {}", axis.key, axis.values[place]);
}

/// The beginning of a text, where that is longer than a picture has room for.
std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t kept = 0;
  const std::string_view rest = text;
  while (kept < most) kept += std::max<std::size_t>(core::utf8_length(rest.substr(kept)), 1);
  return core::sentence("{}...", rest.substr(0, kept));
}

/// A text below a picture, in as many lines as a picture's width asks for.
std::vector<core::SheetLine> caption_of(const std::string& text, const core::SheetTile& tile) {
  const int width = tile.picture ? std::max(tile.picture->width, shortest_side) : shortest_side;
  std::vector<core::SheetLine> caption;
  for (const std::string& line : core::wrapped(text, width, caption_scale)) caption.push_back({line, ink});
  return caption;
}

/// What all jobs have in common, below the title.
std::vector<std::string> notes_of(const pipeline::AskedJob& defaults) {
  std::vector<std::string> notes;
  if (defaults.named.contains("prompt")) notes.push_back(core::sentence("\"{}\"", defaults.job.prompt));
  return notes;
}

}  // namespace

ContactSheet::ContactSheet(std::string file, ListAsked asked) : file_(std::move(file)), asked_(std::move(asked)) {
  const std::string ending = fs::path(file_).extension().string();
  if (ending == ".png" || ending == ".html") return;
  throw Error(ErrorKind::usage, core::sentence("{sheet} {}: a sheet is a .png or a .html. Name one", file_));
}

bool ContactSheet::is_page() const { return fs::path(file_).extension() == ".html"; }

void ContactSheet::expect(const BatchJob& job) {
  if (entries_.size() == most_sheet_jobs) {
    throw Error(ErrorKind::usage,
                core::sentence("{sheet} {}: a sheet has room for {} jobs, and these are more", file_, most_sheet_jobs),
                core::sentence("Let there be fewer, or look at the pictures without one"));
  }
  has_lines_ = has_lines_ || (!entries_.empty() && entries_.begin()->second.job.place.line != job.place.line);
  entries_.emplace(job.place.number, Entry{job, {}, "not done"});
}

void ContactSheet::add(const BatchJob& job, std::span<const std::string> outputs) {
  const auto entry = entries_.find(job.place.number);
  if (entry == entries_.end()) return;
  std::ranges::copy_if(outputs, std::back_inserter(entry->second.pictures), pipeline::is_picture_name);
  entry->second.text = "no picture";
}

void ContactSheet::add(const BatchJob& job, const Error& error) {
  const auto entry = entries_.find(job.place.number);
  if (entry != entries_.end()) entry->second.text = error.problem();
}

ContactSheet::Words ContactSheet::words_of(const BatchJob& job) const {
  Words words;
  const std::string& prompt = job.said.job.prompt;
  if (has_lines_) words.push_back(!job.said.name.empty() ? job.said.name : prompt.empty() ? job.where : prompt);
  if (!asked_.prompts.empty()) words.push_back(prompt);
  const std::vector<std::size_t> chosen = places(asked_.axes, job.place.product % combinations(asked_.axes));
  for (std::size_t i = 0; i < chosen.size(); ++i) words.push_back(value_of(asked_.axes[i], chosen[i]));
  if (words.empty()) words.push_back(job.where);
  return words;
}

core::SheetTile ContactSheet::tile_of(const std::string& picture) const {
  core::SheetTile tile;
  try {
    const std::vector<std::byte> file = io::read_picture_file(picture);
    const Image image = core::rgb_image(io::read_pixels(file, io::read_picture_facts(file, picture), picture));
    tile.picture = core::at_most(image, longest_side);
    const fs::path folder = fs::absolute(file_).lexically_normal().parent_path();
    tile.link = fs::absolute(picture).lexically_normal().lexically_proximate(folder).string();
  } catch (const Error& error) {
    tile.text = error.problem();
  }
  return tile;
}

core::SheetCell ContactSheet::cell_of(const Entry& entry, const std::string& caption) const {
  core::SheetCell cell;
  for (const std::string& picture : entry.pictures) cell.tiles.push_back(tile_of(picture));
  if (cell.tiles.empty()) cell.tiles.push_back({std::nullopt, entry.text, {}, ""});
  if (caption.empty()) return cell;
  core::SheetTile& tile = cell.tiles.front();
  tile.caption =
      is_page() ? std::vector<core::SheetLine>{{caption, ink}} : caption_of(shortened(caption, longest_caption), tile);
  return cell;
}

core::Sheet ContactSheet::sheet() const {
  core::Sheet sheet;
  sheet.title = core::sentence("Batch of {}", core::count_text(entries_.size(), "job"));
  sheet.notes = notes_of(asked_.defaults);
  const std::size_t dimensions = (has_lines_ ? 1 : 0) + (asked_.prompts.empty() ? 0 : 1) + asked_.axes.size();
  return dimensions > 1 ? crossed(std::move(sheet)) : squared(std::move(sheet));
}

/// Of several things that tell jobs apart the last goes across.
core::Sheet ContactSheet::crossed(core::Sheet sheet) const {
  std::size_t across = asked_.axes.empty() ? 1 : asked_.axes.back().values.size();
  if (asked_.axes.empty()) {
    for (const auto& [number, entry] : entries_) across = std::max(across, entry.job.place.product + 1);
  }
  std::map<std::pair<std::size_t, std::size_t>, std::map<std::size_t, const Entry*>> rows;  // by line and combination
  std::map<std::size_t, core::SheetHeading> columns;
  for (const auto& [number, entry] : entries_) {
    const JobPlace& place = entry.job.place;
    rows[{place.line, place.product / across}][place.product % across] = &entry;
    columns[place.product % across] = {shown(words_of(entry.job).back())};
  }
  for (const auto& [column, heading] : columns) sheet.columns.push_back(heading);
  for (const auto& [key, row] : rows) {
    core::SheetHeading& heading = sheet.rows.emplace_back();
    Words words = words_of(row.begin()->second->job);
    words.pop_back();
    for (const std::string& word : words) heading.push_back(shown(word));
    for (const auto& [column, of_column] : columns) {
      const auto entry = row.find(column);
      sheet.cells.push_back(entry == row.end() ? core::SheetCell{} : cell_of(*entry->second, ""));
    }
  }
  return sheet;
}

/// One thing alone: a square, each picture with its words.
core::Sheet ContactSheet::squared(core::Sheet sheet) const {
  const auto count = static_cast<double>(std::max<std::size_t>(entries_.size(), 1));
  const auto side = static_cast<std::size_t>(std::ceil(std::sqrt(count)));
  sheet.columns.resize(side);
  sheet.rows.resize(std::max<std::size_t>((entries_.size() + side - 1) / side, 1));
  for (const auto& [number, entry] : entries_) sheet.cells.push_back(cell_of(entry, words_of(entry.job).front()));
  sheet.cells.resize(side * sheet.rows.size());
  return sheet;
}

/// A heading, as long as a sheet has room for.
std::string ContactSheet::shown(const std::string& word) const {
  return is_page() ? word : shortened(word, longest_heading);
}

bool ContactSheet::write() const {
  io::write_file(file_, is_page() ? io::sheet_page(sheet()) : io::encode_png(core::drawn(sheet()), {}),
                 /*overwrite=*/true);
  const auto can_be_drawn = [](const std::string& word) {
    return std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  return is_page() || (std::ranges::all_of(notes_of(asked_.defaults), can_be_drawn) &&
                       std::ranges::all_of(entries_, [&](const auto& entry) {
                         return std::ranges::all_of(words_of(entry.second.job), can_be_drawn);
                       }));
}

}  // namespace lapis::jobs
