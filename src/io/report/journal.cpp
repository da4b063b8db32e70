#include "io/report/journal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/json_text.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_line = 4 << 20;
constexpr double longest_time = 1e12;  ///< seconds, and costs alike

JournalRecord record_of(std::string_view line, const std::string& name, const fs::path& folder) {
  const JsonSource source{name, ErrorKind::input, "Take that line out, or begin in another folder", longest_line};
  const nlohmann::json document = parse_json(line, source);
  const JsonValue whole(document, source);
  whole.expect_keys(std::array<std::string, 4>{"id", "line", "exit", "outputs"},
                    std::array<std::string, 7>{"status", "number", "of", "error", "model", "seconds", "cost"});
  JournalRecord record;
  record.id = whole.at("id").sha256();
  record.line = whole.at("line").natural();
  if (whole.has("number")) record.number = whole.at("number").natural();
  if (whole.has("of")) record.of = whole.at("of").natural();
  record.exit = static_cast<int>(whole.at("exit").integer(0, 255));
  for (const JsonValue& output : whole.at("outputs").items()) {
    record.outputs.push_back(
        {(folder / output.at("path").name()).lexically_normal().string(), output.at("sha256").sha256()});
  }
  if (whole.has("error")) record.error = whole.at("error").text();
  if (whole.has("model")) record.model = whole.at("model").text();
  if (whole.has("seconds")) record.seconds = whole.at("seconds").number(0, longest_time);
  if (whole.has("cost")) record.cost = whole.at("cost").number(0, longest_time * longest_time);
  return record;
}

/// Writes all of `text`; false with errno where that cannot be.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this machine";
}

/// What a lock says: who has it, and ids of the jobs at hand.
struct LockText {
  std::string holder = "another run";
  std::vector<std::string> at_hand;
};

/// Of a run that was killed before it could say nothing is known. None for text that no lock has.
std::optional<LockText> read_lock(const std::string& text, const fs::path& file) {
  LockText lock;
  if (text.empty()) return lock;
  try {
    const JsonSource source{file.string(), ErrorKind::input, "", longest_line};
    const nlohmann::json document = parse_json(text, source);
    const JsonValue whole(document, source);
    lock.holder = core::sentence("process {} on {}", whole.at("process").natural(), printable(whole.at("host").text()));
    for (const JsonValue& id : whole.at("at_hand").items()) lock.at_hand.push_back(id.sha256());
  } catch (const Error&) {
    return std::nullopt;
  }
  return lock;
}

/// Takes a journal's lock, and gives what it said before.
LockText acquired(RunLock& lock, const fs::path& file) {
  const bool is_ours = lock.acquire();
  std::optional<LockText> before = read_lock(lock.text(), file);
  if (!is_ours) {
    throw Error(ErrorKind::output,
                core::sentence("{} is being written by {}.", file.string(), before.value_or(LockText()).holder),
                "Wait until that run is done, or name another folder");
  }
  if (before) return *before;
  throw Error(ErrorKind::output, core::sentence("{}.lock is there, and no run of lapis wrote it.", file.string()),
              "Move it away, or name another folder");
}

/// Whether what follows the last end of a line is the beginning of a record, which a kill cut short.
bool is_torn_record(std::string_view rest) {
  constexpr std::string_view beginning = "{\"id\":\"";
  return rest.substr(0, beginning.size()) == beginning.substr(0, rest.size());
}

/// Bytes up to the last end of a line.
std::uintmax_t whole_lines(const fs::path& file) {
  const MappedFile mapped(file, ErrorKind::input);
  return as_chars(mapped.bytes()).rfind('\n') + 1;
}

fs::path in_made_folder(fs::path file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) fail_to_write(file.parent_path(), error.value());
  return file;
}

}  // namespace

std::string journal_line(const JournalRecord& record, const fs::path& folder) {
  Json outputs = Json::array();
  for (const JournalOutput& output : record.outputs) {
    outputs.push_back(
        {{"path",
          fs::absolute(output.path).lexically_normal().lexically_proximate(fs::absolute(folder).lexically_normal())},
         {"sha256", output.sha256}});
  }
  Json json = {{"id", record.id},
               {"line", record.line},
               {"number", record.number},
               {"of", record.of},
               {"status", record.done() ? "done" : "failed"},
               {"exit", record.exit},
               {"outputs", outputs}};
  if (!record.error.empty()) json["error"] = record.error;
  json["model"] = record.model;
  json["seconds"] = std::round(record.seconds * 1e6) / 1e6;
  json["cost"] = record.cost;
  return json_text(json);
}

std::vector<JournalRecord> read_journal(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  const MappedFile mapped(file, ErrorKind::input);
  std::string_view text = as_chars(mapped.bytes());
  std::vector<JournalRecord> records;
  for (std::size_t number = 1; text.find('\n') != std::string_view::npos; ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    records.push_back(record_of(line, core::sentence("{}, line {}", file.string(), number), file.parent_path()));
    text.remove_prefix(line.size() + 1);
  }
  if (!is_torn_record(text)) {
    throw Error(ErrorKind::input, core::sentence("{}: the last line is no record.", file.string()),
                "Take that line out, or begin in another folder");
  }
  return records;
}

JournalHold::JournalHold(const fs::path& file) {
  if (::access(fs::absolute(file).parent_path().c_str(), W_OK) != 0) return;
  acquired(lock_.emplace(file.string() + ".lock"), file);
}

void replace_journal(const fs::path& file, std::span<const JournalRecord> records) {
  std::string text;
  for (const JournalRecord& record : records) text += journal_line(record, file.parent_path()) + "\n";
  write_file(file, std::as_bytes(std::span(text)), /*overwrite=*/true);
}

Journal::Journal(const fs::path& file) : file_(in_made_folder(fs::absolute(file))), lock_(file_.string() + ".lock") {
  interrupted_ = acquired(lock_, file_).at_hand;
  records_ = read_journal(file_);
  for (const JournalRecord& record : records_) {
    if (record.done()) std::erase(interrupted_, record.id);
  }
  out_.emplace(::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (out_->number() < 0) fail_to_write(file_, errno);
  for (const fs::path& folder : {file_.parent_path(), file_.parent_path().parent_path()}) flush_folder(folder);
  const std::uintmax_t whole = whole_lines(file_);
  if (::ftruncate(out_->number(), static_cast<off_t>(whole)) != 0 || ::lseek(out_->number(), 0, SEEK_END) < 0) {
    fail_to_write(file_, errno);
  }
  at_hand_ = interrupted_;  // until they are done again, their outputs are nobody else's
  write_lock();
}

void Journal::take(const std::string& id) {
  if (std::ranges::find(at_hand_, id) == at_hand_.end()) at_hand_.push_back(id);
  write_lock();
}

void Journal::leave(const std::string& id) {
  std::erase(at_hand_, id);
  write_lock();
}

void Journal::append(const JournalRecord& record) {
  const std::string line = journal_line(record, file_.parent_path()) + "\n";
  const off_t before = ::lseek(out_->number(), 0, SEEK_CUR);
  if (write_all(out_->number(), line) && ::fdatasync(out_->number()) == 0) return;
  const int error_number = errno;
  if (::ftruncate(out_->number(), before) == 0) ::lseek(out_->number(), before, SEEK_SET);
  fail_to_write(file_, error_number);
}

void Journal::write_lock() {
  const Json text = {{"process", ::getpid()}, {"host", host_name()}, {"at_hand", at_hand_}};
  lock_.write(json_text(text), /*stays=*/!at_hand_.empty());
}

}  // namespace lapis::io
