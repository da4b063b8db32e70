#include "pipeline/compare.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/spelling.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "core/picture/similarity.hpp"
#include "core/picture/tolerance.hpp"
#include "core/text/exit_codes.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/report/compare_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/compare_outputs.hpp"

namespace lapis::cli {
namespace {

constexpr const char* compare_footer =
    "Examples:\n"
    "  lapis compare a.png b.png\n"
    "  lapis compare a.png b.png --diff difference.png\n"
    "  lapis compare expected/ found/ --junit report.xml --diff differences/\n"
    "  lapis compare a.png b.jpg --fail 8 --fail-percent 1 --min-ssim 0.95\n"
    "  lapis compare a.safetensors b.safetensors --hard-fail 0.01\n"
    "\n"
    "Pictures are equal where no value differs by more than 1 level, and at most 0.1 % of the values differ;\n"
    "latents where no value differs by more than 0.0001. What equals a threshold is within it. Exit code 0\n"
    "for equal ones, 1 for others, and another one (lapis --help) for what could not be compared.";

struct CompareOptions {
  std::string a;
  std::string b;
  std::map<std::string, std::optional<double>> thresholds;  ///< by their keys
  pipeline::HintWords hints;
  pipeline::CompareOutputNames names;
  OutputOptions outputs;
};

Error respelled(const Error& error) {
  return {error.kind(), spelled(error.marked_problem()), spelled(error.marked_advice())};
}

/// Names in the texts of pairs, as this program calls them.
void spell(std::vector<io::ComparedPair>& pairs) {
  for (io::ComparedPair& pair : pairs) {
    for (core::Breach& breach : pair.judgement.breaches) breach.text = spelled(breach.text);
    if (pair.judgement.warning) pair.judgement.warning->text = spelled(pair.judgement.warning->text);
    if (pair.error) pair.error = respelled(*pair.error);
  }
}

std::string verdict(const io::ComparedPair& pair) {
  if (!pair.equal()) return "different: " + io::breach_text(pair);
  const bool identical = pair.difference && pair.difference->identical();
  if (!identical) return "equal within the tolerance";
  if (!pair.difference->picture) return "equal: every number is the same";
  return pair.is_cut() ? "equal: every pixel is the same in its upper 8 bits" : "equal: every pixel is the same";
}

void print_pair(const io::ComparedPair& pair) {
  print_line(verdict(pair));
  print_table(io::measure_rows(pair));
}

std::vector<std::string> table_row(const io::ComparedPair& pair) {
  std::vector<std::string> row = {pair.name, pair.error ? "error" : pair.equal() ? "equal" : "different"};
  if (!pair.difference) return row;
  const core::Difference& difference = *pair.difference;
  row.push_back(core::amount_text(difference, difference.largest));
  row.push_back(core::sentence("{:.3g} %", difference.values == 0 ? 0
                                                                  : 100.0 * static_cast<double>(difference.different) /
                                                                        static_cast<double>(difference.values)));
  if (!difference.picture) return row;
  const core::PictureMeasures& picture = *difference.picture;
  row.push_back(core::psnr_text(picture.psnr));
  row.push_back(picture.ssim ? core::sentence("{:.4f}", *picture.ssim) : "-");
  row.push_back(core::sentence("{:.4f}", picture.flip));
  return row;
}

void print_folders(const pipeline::Comparison& comparison) {
  std::vector<std::vector<std::string>> rows = {{"file", "result", "largest", "different", "PSNR", "SSIM", "FLIP"}};
  for (const io::ComparedPair& pair : comparison.pairs) rows.push_back(table_row(pair));
  print_table(rows);
  for (const io::ComparedPair& pair : comparison.pairs) {
    if (pair.equal()) continue;
    print_line(core::sentence("{}: {}", pair.name, pair.error ? pair.error->problem() : io::breach_text(pair)));
    if (pair.changed) print_line(core::sentence("{}: {}", pair.name, io::changed_text(*pair.changed)));
  }
  const io::PairCounts counts = io::counts_of(comparison.pairs);
  print_line(core::sentence("{} equal, {} different{}", counts.equal, counts.different,
                            counts.errors > 0 ? core::sentence(", {} not compared", counts.errors) : ""));
}

void print(const CompareOptions& options, const pipeline::Comparison& comparison) {
  for (const io::ComparedPair& pair : comparison.pairs) {
    for (const std::string& note : pair.notes) {
      if (!comparison.folders) print_note(note);
    }
    if (pair.judgement.warning)
      print_warning(core::sentence("{}: {}; worst at {}", pair.name, pair.judgement.warning->text,
                                   core::place_text(*pair.difference)));
  }
  const auto cut = std::ranges::count_if(comparison.pairs, &io::ComparedPair::is_cut);
  if (comparison.folders && cut > 0) {
    print_note(core::sentence("{} more than 8 bits a value, of which the upper 8 are compared",
                              cut == 1 ? "1 pair has" : core::sentence("{} pairs have", cut)));
  }
  if (comparison.others > 0) {
    print_note(core::sentence("{} {} neither pictures nor latents by their names, and not compared", comparison.others,
                              comparison.others == 1 ? "file is" : "files are"));
  }
  if (options.outputs.json) {
    print_json(io::compare_report(options.a, options.b, comparison.pairs));
  } else if (comparison.folders) {
    print_folders(comparison);
  } else {
    print_pair(comparison.pairs.front());
  }
}

/// That of the first pair which could not be compared, else whether any differ.
int code_of(const pipeline::Comparison& comparison) {
  for (const io::ComparedPair& pair : comparison.pairs) {
    if (pair.error) return exit_code(pair.error->kind());
  }
  return std::ranges::all_of(comparison.pairs, &io::ComparedPair::equal) ? 0 : core::differ_code;
}

int compare(const CompareOptions& options) {
  const std::array<std::string, 2> words = {options.a, options.b};
  check_stdin_once(words);
  for (const std::string& word : words)
    check_stdin(word, "a picture or a latent", "lapis generate ... -o - | lapis compare - b.png");
  const pipeline::CompareOutputs outputs = pipeline::plan_compare_outputs(options.names, words, options.outputs);
  pipeline::ModelCatalog catalog;
  pipeline::CompareAsked asked{options.a,
                               options.b,
                               {},
                               latent_hints(options.hints, catalog),
                               outputs.draws() ? pipeline::Drawn::all : pipeline::Drawn::nothing};
  for (const auto& [key, value] : options.thresholds) {
    if (value) asked.tolerance.emplace(key, *value);
  }
  std::size_t drawn = 0;
  if (!outputs.diff_folder.empty()) {
    asked.on_drawing = [&](const std::string& name, const Image& drawing) {
      drawn += pipeline::save_drawing(name, drawing, outputs, options.outputs) ? 1 : 0;
    };
  }
  Progress progress;
  pipeline::Comparison comparison = pipeline::compare(asked, listener(progress));
  progress.clear();
  spell(comparison.pairs);
  print(options, comparison);
  report_skipped(options.outputs, outputs.all());
  for (const std::string& path : pipeline::save(comparison, outputs, options.outputs))
    print_note(core::sentence("{} is written", path));
  if (drawn > 0) print_note(core::sentence("{} in {}", core::count_text(drawn, "difference"), options.names.diff));
  return code_of(comparison);
}

}  // namespace

Run declare_compare(CLI::App& app) {
  const auto options = std::make_shared<CompareOptions>();
  const OptionGroup group(app);
  group.value("a", options->a, "A", "Picture, latent (- for stdin) or folder")->required();
  group.value("b", options->b, "B", "What it is compared with")->required();
  const OptionGroup thresholds(app, "Thresholds");
  for (const core::Threshold& row : core::thresholds()) {
    thresholds.value(spelled(core::field_name(row.name)), options->thresholds[std::string(row.name)],
                     std::string(row.value_name), spelled(core::marked(row.help)));
  }
  declare_hints(app, options->hints);
  const OptionGroup output(app, "Output");
  output.value("--diff", options->names.diff, "FILE",
               "PNG of both and their difference; of folders, a folder of those that differ");
  output.value("--junit", options->names.junit, "FILE", "Report for CI servers, each pair a test");
  declare_output(app, options->outputs, "One JSON document on stdout, in place of the text");
  app.footer(compare_footer);
  return [options] { return compare(*options); };
}

}  // namespace lapis::cli
