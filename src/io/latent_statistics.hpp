// The numbers of a latent file, looked at where they lie.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/space_fit.hpp"
#include "io/latent_forms.hpp"

namespace lapis::io {

/// Statistics of each channel of the latent whose passport this is, NaN and Inf counted. Numbers that the file holds as
/// they are needed are not copied.
std::vector<core::ChannelStatistics> read_statistics(std::span<const std::byte> file, const std::string& name,
                                                     const ForeignPassport& passport);

}  // namespace lapis::io
