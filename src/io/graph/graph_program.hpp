// What libtorch would compile or run of a TorchScript archive, looked at before it does. For `graph_archive.cpp` alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"

namespace lapis::io {

/// What is wrong with `text`, one file of an archive's code/, in words that follow "its code"; none if nothing is.
/// Looks for every way in which TorchScript can name an operator (torch.NAME, ops.SPACE.NAME, a method, getattr, a bare
/// word, "^name"), for what libtorch would run while it loads (__setstate__, calls outside of a function's body), for
/// classes written in C++ (torch.classes), and for depths that its recursive parser would not survive. What
/// torch.jit.save never writes (comments, continued lines, strings of three quotes) is refused unread, so that both
/// read the same tokens. Nothing else is said about a text that passes: it may be no TorchScript at all.
std::optional<std::string> source_fault(std::string_view text);

/// Bytes of the archive's record that holds a storage of this name; none where there is no such record.
using RecordSize = std::function<std::optional<std::uint64_t>(const std::string& name)>;

/// What is wrong with `bytes`, one pickle of an archive (data.pkl, constants.pkl), in words that follow its name; none
/// if nothing is. Takes what torch.jit.save writes and nothing else: its opcodes of protocol 2, numbered in their
/// order, and of names only tensors, storages, lists, devices, and classes of the archive's own code. A storage may not
/// claim more numbers than its record holds, which libtorch does not ask. Nothing is built.
std::optional<std::string> pickle_fault(std::string_view bytes, const RecordSize& record_size);

/// The tensors that stand under a name in a pickle without fault, with their shapes; without those of one number alone
/// (shape []). At most 50,000.
std::vector<core::TensorShape> pickle_tensors(std::string_view bytes, const RecordSize& record_size);

}  // namespace lapis::io
