// Lines of a file or a pipe, one by one, as they come.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "io/file/file_descriptor.hpp"

namespace lapis::io {

/// A line without its end.
struct Line {
  std::size_t number = 0;    ///< from 1
  std::string text;          ///< of one that is too long its beginning
  bool is_too_long = false;  ///< longer than the reader keeps
};

/// Holds one line at a time. A mark of UTF-8 at the beginning is passed over, and so is the return before an end.
class LineReader {
 public:
  /// Opens a file, or takes standard input for "-". Of a line at most `longest` bytes are kept. Throws Error{input}.
  LineReader(const std::string& path, std::size_t longest);

  const std::string& name() const { return name_; }  ///< "standard input" for "-"

  /// The next line; none at the end. Waits for a pipe. Throws Error{input} where reading fails.
  std::optional<Line> next();

  /// What becomes readable when `next` need not wait; none where a line is at hand.
  std::optional<int> awaited() const;

 private:
  bool fill();

  std::string name_;
  std::size_t longest_;
  FileDescriptor file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t number_ = 0;
};

}  // namespace lapis::io
