#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/file_descriptor.hpp"
#include "io/file/file_kinds.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/latent/npy.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t head_size = 64;  ///< bytes by which the kinds of files are told apart

/// False for what only wastes the time and the memory to read it: /dev/zero, a picture, a log.
bool may_be_latent(std::span<const std::byte> head, bool or_picture) {
  if (head.size() < head_size || begins_as_safetensors(head) || begins_as_npy(head)) return true;
  const FileKind* kind = or_picture ? find_file_kind(head) : nullptr;
  return kind != nullptr && kind->picture;
}

std::vector<std::byte> read_pipe(int descriptor, const std::string& name, std::size_t limit, bool or_picture) {
  return read_all(descriptor, name, /*expected=*/0, [&](std::span<const std::byte> bytes) {
    if (bytes.size() <= limit) return may_be_latent(bytes, or_picture);
    throw Error(ErrorKind::input, core::sentence("{} brings more than {} bytes, the most that are read.", name, limit),
                "Name a file instead of a pipe.");
  });
}

/// A pipe that has a path, as `<(command)` in a shell.
bool is_pipe(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  return std::filesystem::is_fifo(status) || std::filesystem::is_socket(status) ||
         std::filesystem::is_character_file(status);
}

}  // namespace

LatentSource::LatentSource(const std::string& path, std::size_t limit, bool or_picture)
    : name_(path == "-" ? standard_input : path) {
  if (path == "-") {
    piped_ = read_pipe(STDIN_FILENO, name_, limit, or_picture);
  } else if (is_pipe(path)) {
    const FileDescriptor pipe(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (pipe.number() < 0) {
      throw Error(ErrorKind::input, core::sentence("{} cannot be read: {}.", name_, system_reason(errno)));
    }
    piped_ = read_pipe(pipe.number(), name_, limit, or_picture);
  } else {
    file_.emplace(path, ErrorKind::input);
  }
}

}  // namespace lapis::io
