#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <unistd.h>
#include <utility>

#include "io/file/file_descriptor.hpp"
#include "io/file/file_kinds.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/file/mapped_file.hpp"
#include "io/latent/npy.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 18U;
constexpr std::size_t head_size = 64;  ///< bytes by which the kinds of files are told apart

/// False for what only wastes the time and the memory to read it: /dev/zero, a picture, a log.
bool may_be_latent(std::span<const std::byte> head, bool or_picture) {
  if (head.size() < head_size || begins_as_safetensors(head) || begins_as_npy(head)) return true;
  const FileKind* kind = or_picture ? find_file_kind(head) : nullptr;
  return kind != nullptr && kind->picture;
}

std::vector<std::byte> read_pipe(int descriptor, const std::string& name, std::size_t limit, bool or_picture) {
  std::vector<std::byte> bytes;
  std::size_t size = 0;
  while (true) {
    if (bytes.size() - size < piece_size) bytes.resize(std::max(2 * bytes.size(), size + piece_size));
    const ssize_t count = ::read(descriptor, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(ErrorKind::input, name + " cannot be read: " + system_reason(errno) + ".");
    size += static_cast<std::size_t>(count);
    if (size > limit) {
      throw Error(ErrorKind::input,
                  name + " brings more than " + std::to_string(limit) + " bytes, the most that are read.",
                  "Name a file instead of a pipe.");
    }
    if (count == 0 || !may_be_latent(std::span(bytes).first(size), or_picture)) break;
  }
  bytes.resize(size);
  return bytes;
}

/// A pipe that has a path, as `<(command)` in a shell.
bool is_pipe(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  return std::filesystem::is_fifo(status) || std::filesystem::is_socket(status) ||
         std::filesystem::is_character_file(status);
}

}  // namespace

struct LatentSource::Content {
  std::optional<MappedFile> file;
  std::vector<std::byte> piped;
};

LatentSource::LatentSource(const std::string& path, std::size_t limit, bool or_picture)
    : name_(path == "-" ? standard_input : path), content_(std::make_unique<Content>()) {
  if (path == "-") {
    content_->piped = read_pipe(STDIN_FILENO, name_, limit, or_picture);
  } else if (is_pipe(path)) {
    const FileDescriptor pipe(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (pipe.number() < 0) throw Error(ErrorKind::input, name_ + " cannot be read: " + system_reason(errno) + ".");
    content_->piped = read_pipe(pipe.number(), name_, limit, or_picture);
  } else {
    content_->file.emplace(path, ErrorKind::input);
  }
}

LatentSource::~LatentSource() = default;
LatentSource::LatentSource(LatentSource&&) noexcept = default;
LatentSource& LatentSource::operator=(LatentSource&&) noexcept = default;

std::span<const std::byte> LatentSource::bytes() const {
  return content_->file ? content_->file->bytes() : std::span<const std::byte>(content_->piped);
}

}  // namespace lapis::io
