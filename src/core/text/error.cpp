#include "lapis/error.hpp"

namespace lapis {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::input: return 3;
    case ErrorKind::incompatible: return 4;
    case ErrorKind::model: return 5;
    case ErrorKind::device: return 6;
    case ErrorKind::numeric: return 7;
    case ErrorKind::output: return 8;
    case ErrorKind::internal: return 70;
  }
  return 70;
}

}  // namespace lapis
