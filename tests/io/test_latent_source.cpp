#include <catch2/catch.hpp>
#include <chrono>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "io/file/file_descriptor.hpp"
#include "io/latent/latent_container.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// Puts `content` through a pipe that takes standard input's place for `action`.
template <typename Action>
void with_stdin(const std::string& content, const Action& action) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const FileDescriptor before(::dup(STDIN_FILENO));
  REQUIRE(::dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
  ::close(ends[0]);
  std::thread writer([&] {
    const std::string text = content;
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t count = ::write(ends[1], text.data() + sent, text.size() - sent);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    ::close(ends[1]);
  });
  action();
  ::dup2(before.number(), STDIN_FILENO);
  writer.join();
}

std::string file_text() { return as_text(latent_bytes(finished_latent())); }

}  // namespace

TEST_CASE("a latent comes from a file, from standard input and from a named pipe alike") {
  const TemporaryFolder folder;
  const std::string text = file_text();
  write_text(folder / "a.safetensors", text);
  LatentSource file((folder / "a.safetensors").string());
  CHECK(as_text(file.bytes()) == text);
  CHECK(file.name() == (folder / "a.safetensors").string());
  const LatentSource moved = std::move(file);
  CHECK(as_text(moved.bytes()) == text);

  with_stdin(text, [&] {
    const LatentSource piped("-");
    CHECK(piped.name() == "standard input");
    CHECK(as_text(piped.bytes()) == text);
  });

  const std::string fifo = (folder / "pipe").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::thread writer([&] { write_text(fifo, text); });
  const LatentSource named(fifo);
  writer.join();
  CHECK(as_text(named.bytes()) == text);
  CHECK(named.name() == fifo);
}

TEST_CASE("a pipe that brings nothing, too little or something else is named") {
  const auto check = [](const std::string& content, const std::vector<std::string>& parts) {
    with_stdin(content, [&] {
      const LatentSource source("-");
      check_fails(ErrorKind::input, parts, [&] { read_latent(source.bytes(), source.name(), {}); });
    });
  };
  check("", {"standard input is empty", "before the pipe failed"});
  check(file_text().substr(0, 5), {"standard input is no latent: it has 5 bytes", "before the pipe failed"});
  check(file_text().substr(0, 100), {"standard input", "cut short", "before the pipe failed"});
  check(file_text().substr(0, file_text().size() - 1), {"standard input", "cut short", "before the pipe failed"});
  check("error: no such model\n", {"standard input is text", "\"error: no such model"});
  check(read_text(data_file("pictures/rgb.png")), {"standard input is a PNG picture"});
}

TEST_CASE("a pipe without an end is left as soon as it is plain that it is no latent") {
  const LatentSource zeros("/dev/zero");
  CHECK(zeros.bytes().size() < 1'000'000);
  check_fails(ErrorKind::input, {"/dev/zero is no latent"},
              [&] { open_latent_container(zeros.bytes(), zeros.name()); });
}

TEST_CASE("a pipe that brings more than the limit is refused") {
  const std::string text = file_text();
  with_stdin(text, [&] { CHECK_NOTHROW(LatentSource("-", text.size())); });
  with_stdin(text, [&] {
    check_fails(ErrorKind::input, {"standard input brings more than"}, [&] { LatentSource("-", text.size() - 1); });
  });
}

TEST_CASE("what cannot be read is an error") {
  const TemporaryFolder folder;
  check_fails(ErrorKind::input, {"does not exist"}, [&] { LatentSource((folder / "none").string()); });
  check_fails(ErrorKind::input, {"is a folder"}, [&] { LatentSource(folder.path().string()); });
}
