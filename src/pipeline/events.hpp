// Telling a caller what happens.
#pragma once

#include <functional>
#include <string>

#include "lapis/events.hpp"

namespace lapis::pipeline {

/// What `Events` may leave out.
inline void tell(const std::function<void(const std::string&)>& listener, const std::string& text) {
  if (listener) listener(text);
}

}  // namespace lapis::pipeline
