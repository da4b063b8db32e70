// Removing folders with all that is in them.
#pragma once

namespace lapis::io {

/// Removes what lies at `path`: a file, a link (not what it leads to), or a folder with everything below it, its rights
/// notwithstanding where they may be changed. True where nothing is there any more. May be called from a signal
/// handler: it allocates nothing, locks nothing, throws nothing and leaves errno alone.
bool remove_tree(const char* path) noexcept;

}  // namespace lapis::io
