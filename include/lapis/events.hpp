// Callbacks by which a caller learns what happens while a request runs, and may end it.
#pragma once

#include <functional>
#include <string>

namespace lapis {

/// Called from the thread that made the request; an empty function is not called.
struct Events {
  std::function<void(const std::string&)> note;     ///< something that was done and is good to know, one line
  std::function<void(const std::string&)> warning;  ///< something that may not be what was meant, one line
  std::function<void(int done, int all)> step;      ///< after each step of a sampler: steps done, and all there are
  std::function<void()> picture;                    ///< after the last step of a picture
  std::function<bool()> stop;  ///< as of `RenderRequest`; of a request with a second model, asked for each of the two
};

}  // namespace lapis
