// A contact sheet as a page to look at.
#pragma once

#include <cstddef>
#include <vector>

#include "core/picture/sheet.hpp"

namespace lapis::io {

/// One HTML document in UTF-8 that needs nothing beside it: pictures lie in it as PNGs as they are, and lead to their
/// files where the sheet has a link. No script; light and dark; wide grids are moved sideways, headings stay in sight.
std::vector<std::byte> sheet_page(const core::Sheet& sheet);

}  // namespace lapis::io
