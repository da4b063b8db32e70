// What a caller is told while something is under way.
#pragma once

#include <functional>
#include <string>

namespace lapis {

/// Called from the thread that asked; an empty function is one that nobody listens with.
struct Events {
  std::function<void(const std::string&)> note;     ///< something that was done and is good to know, one line
  std::function<void(const std::string&)> warning;  ///< something that may not be what was meant, one line
  std::function<void(int done, int all)> step;      ///< after each step of a sampler: steps done, and all there are
  std::function<void()> picture;                    ///< a picture has its last step behind it
  std::function<bool()> stop;  ///< as of `RenderRequest`; of a request with a second model, asked for each of the two
};

}  // namespace lapis
