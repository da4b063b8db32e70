// The table of a job's fields. Flags, JSON keys, provenance and help all come from its rows.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/job_limits.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::core {

/// Headings under which help lists the fields, in this order.
enum class FieldGroup { prompt, picture, sampling, source, machine, transcode, hints, output };

/// What has to be done again, with all that follows, where a field alone changes from one run to the next.
enum class FieldPhase { load, prompt, start, sample, decode, write };

/// What a job that starts from a latent takes of the job that the latent records (`inherit`): nothing; or the field,
/// of a finished latent only where it comes from the model's own space; or the field in any case.
enum class FromRecord { never, same_space, always };

/// Who takes a field over where nothing is said of it.
struct Inherits {
  FromRecord from_record;
  bool by_stage;  ///< a second model that goes on in the same run (`stage_job`)
};

/// Where a row's value lies in a `Job`. The alternative says what kind of value the field takes.
using JobMember =
    std::variant<bool Job::*, std::string Job::*, std::vector<std::string> Job::*, std::optional<std::string> Job::*,
                 std::optional<std::int64_t> Job::*, std::optional<std::uint64_t> Job::*, std::optional<double> Job::*>;

/// Of a field that says how a run is made and not what it makes: no record of a job has it.
struct Unrecorded {};

/// Of the field whose value is the model's own name.
struct ModelName {};

/// Where it lies once resolved. An optional one has no value where the job does nothing that it speaks of, or the
/// model's family or its sampler has no such thing.
using ResolvedMember =
    std::variant<Unrecorded, ModelName, std::string ResolvedJob::*, std::vector<std::string> ResolvedJob::*,
                 PromptSyntax ResolvedJob::*, int ResolvedJob::*, std::uint64_t ResolvedJob::*, double ResolvedJob::*,
                 std::optional<Spacing> ResolvedJob::*, std::optional<std::string> ResolvedJob::*,
                 std::optional<int> ResolvedJob::*, std::optional<double> ResolvedJob::*,
                 std::optional<std::vector<double>> ResolvedJob::*, Interval ResolvedJob::*,
                 std::optional<PixelSize> ResolvedJob::*, std::optional<PixelOffset> ResolvedJob::*>;

/// A decided value as JSON and provenance hold it. A whole number is an std::uint64_t where it fits no std::int64_t.
using FieldValue = std::variant<std::string, std::int64_t, double, std::vector<std::string>, std::uint64_t>;

/// One row per field.
struct JobField {
  std::string_view key;         ///< in JSON, job files and provenance
  std::string_view flags;       ///< on the command line: "-W,--width"
  std::string_view value_name;  ///< of its value in help: "PIXELS"; empty: a flag
  FieldGroup group;
  FieldPhase phase;
  Inherits inherits;
  std::vector<std::string> (*choices)();  ///< the names it takes; none where it takes anything, or io knows the names
  std::string_view help;                  ///< one line, no full stop; "%" stands for the choices (`help_text`)
  JobMember member;
  ResolvedMember resolved;
  std::optional<Limits> limits;  ///< what `resolve` allows; a model may allow less
  std::string_view a1111;        ///< key in A1111's text, "" where it has none; width and height share one: "WxH"
};

/// The rows, in the order in which help, JSON and provenance list them.
std::span<const JobField> job_fields();

/// The heading of a group in help.
std::string_view group_title(FieldGroup group);

/// A row's line of help, with its choices.
std::string help_text(const JobField& field);

/// "auto, on or off".
std::string either_of(std::span<const std::string> names);

/// Whether JSON and provenance have the field.
bool is_recorded(const JobField& field);

/// The first long flag of a row: "--width".
std::string_view long_flag(const JobField& field);

/// The row of this key. Throws Error{usage} with a suggestion where there is none.
const JobField& find_job_field(std::string_view key);

/// Throws Error{usage} for a number outside the limits of its field, which must have some.
void check_limits(const JobField& field, double value);

/// Copies one field from a job to another.
void copy_field(Job& to, const Job& from, const JobField& field);

/// Keys of the fields that `job` says something of: those that are not as in an empty one.
std::set<std::string> named_fields(const Job& job);

/// Sets a field from text, as a command line gives it; a list gets one more entry. Throws Error{usage} where a number
/// is expected and `text` is none, or one too large to hold. Limits are `resolve`'s affair.
void set_field(Job& job, const JobField& field, std::string_view text);

/// The seed that `text` says, 0 to 2^64 - 1 as torch.manual_seed takes it; none for a negative number, which asks for a
/// random one. Throws Error{usage}; `name` is what it calls the number.
std::optional<std::uint64_t> parse_seed(std::string_view text, std::string_view name);

/// Fills what `job` leaves open from the model's defaults and checks every field: text is UTF-8 without NUL, numbers
/// lie within limits, sides are multiples of the family's, names are known, and what the model's family does not have
/// is not asked for. A missing or negative seed is taken from `random` (its upper 32 bits: short enough to type again).
/// `model` must have passed `check_model`; `latent` is what job.init_latent names, of the model's space, and decides
/// the size and the batch; null where it names nothing. Throws Error{usage} naming the field, what was found and what
/// was expected, and what `check_step_state` throws.
ResolvedJob resolve(const Job& job, const Model& model, std::uint64_t random, const Passport* latent = nullptr);

/// Every field of a resolved job that has a value as (key, value), in the order of the table; the value of "model" is
/// the model's name.
std::vector<std::pair<std::string, FieldValue>> resolved_fields(const ResolvedJob& job, const Model& model);

}  // namespace lapis::core
