// What `lapis matrix` found out, in JSON and as a page to look at.
#pragma once

#include <string>
#include <string_view>

#include "core/picture/matrix.hpp"

namespace lapis::io {

/// One line without the pictures. docs/cli.md describes the document.
std::string matrix_report(const core::Matrix& matrix);

/// One HTML document in UTF-8 that needs nothing beside it: pictures lie in it as PNGs, those with a side above 512
/// pixels shrunk to that by Lanczos. No script; light and dark; one column where the window is narrow.
std::string matrix_page(const core::Matrix& matrix);

/// `text` with what HTML reads as markup written as references, for text and for attributes in either quotes.
std::string escaped_html(std::string_view text);

}  // namespace lapis::io
