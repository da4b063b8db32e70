#include "pipeline/compare_outputs.hpp"

#include <array>
#include <cstddef>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/picture/png.hpp"
#include "io/report/compare_report.hpp"
#include "io/report/junit.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::pipeline {
namespace {

std::optional<Output> output_of(const std::string& name, std::string_view key, const std::string& usual) {
  if (name.empty()) return std::nullopt;
  const std::string path = output_name(in_folder(name, usual));
  if (path == "-") {
    throw Error(ErrorKind::usage,
                core::sentence("{} {}: standard output has the text. Name a file", core::field_name(key), name));
  }
  return Output{path, std::nullopt};
}

/// Throws where an output would take the place of what is compared.
void check_apart(const Output& output, std::span<const std::string> others, std::string_view key) {
  for (const std::string& other : others) {
    if (other == "-" || !is_same_file(output.path, other)) continue;
    throw Error(ErrorKind::usage,
                core::sentence("{} {}: that is {}. Name another file", core::field_name(key), output.path, other));
  }
}

}  // namespace

std::vector<Output> CompareOutputs::all() const {
  std::vector<Output> outputs;
  if (diff) outputs.push_back(*diff);
  if (junit) outputs.push_back(*junit);
  return outputs;
}

CompareOutputs plan_compare_outputs(const CompareOutputNames& names, std::span<const std::string> inputs,
                                    const OutputPolicy& policy) {
  check_output(policy);
  CompareOutputs outputs{output_of(names.diff, "diff", "difference.png"),
                         output_of(names.junit, "junit", "compare.xml")};
  if (outputs.diff) {
    outputs.diff->path = picture_names(outputs.diff->path, 0, 1).front();
    check_apart(*outputs.diff, inputs, "diff");
    plan_outputs({&*outputs.diff, 1}, policy);
  }
  if (outputs.junit) {
    check_apart(*outputs.junit, inputs, "junit");
    if (outputs.diff) check_apart(*outputs.junit, std::array{outputs.diff->path}, "junit");
    plan_outputs({&*outputs.junit, 1}, policy);
  }
  return outputs;
}

std::vector<std::string> save(const Comparison& comparison, const CompareOutputs& outputs, const OutputPolicy& policy) {
  std::vector<std::string> paths;
  if (outputs.draws() && comparison.drawing) {
    io::write_file(outputs.diff->path, io::encode_png(*comparison.drawing, {}), policy.overwrite);
    paths.push_back(outputs.diff->path);
  }
  if (outputs.junit && !outputs.junit->stays) {
    const std::string xml = io::junit_xml({io::compare_suite(comparison.pairs)});
    io::write_file(outputs.junit->path, std::as_bytes(std::span(xml)), policy.overwrite);
    paths.push_back(outputs.junit->path);
  }
  return paths;
}

}  // namespace lapis::pipeline
