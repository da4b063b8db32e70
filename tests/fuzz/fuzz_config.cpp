#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

#include "io/checkpoint/peft_reader.hpp"
#include "io/checkpoint/scheduler_config.hpp"
#include "io/model/vae_config.hpp"
#include "io/report/job_json.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

using namespace lapis;

namespace {

/// A folder of this process, which goes with it.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("lapis-fuzz-" + std::to_string(getpid()))) {
    fs::create_directories(path_ / "scheduler");
    fs::create_directories(path_ / "vae");
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& write(const fs::path& name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_;
  }

 private:
  fs::path path_;
};

void read_scheduler(const Folder& folder, std::string_view text) {
  io::read_scheduler(folder.write("scheduler/scheduler_config.json", text));
}

void read_vae(const Folder& folder, std::string_view text) {
  io::read_vae_config(folder.write("vae/config.json", text));
}

void read_peft(const Folder&, std::string_view text) { io::read_peft_settings(text, "a.json"); }

void read_job(const Folder&, std::string_view text) {
  io::job_from_json(text, "a.png");
  io::lora_digests(text, "a.png");
}

constexpr std::array readers = {read_scheduler, read_vae, read_peft, read_job};

}  // namespace

/// JSON that other programs write of models, and lapis of pictures. The first byte chooses whose reader it meets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    readers[data[0] % readers.size()](folder, text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::model) __builtin_trap();
  }
  return 0;
}
