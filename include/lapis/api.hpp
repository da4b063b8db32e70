// What the shared library `lapis` shows to programs that use it.
#pragma once

#define LAPIS_API __attribute__((visibility("default")))
