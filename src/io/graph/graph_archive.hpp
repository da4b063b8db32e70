// TorchScript graphs, looked at from outside before libtorch opens them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// Checks that the file at `path` is a zip archive as TorchScript writes it (APPNOTE.TXT of PKWARE, zip64 included):
/// stored or deflated entries under one top folder, without ".." or absolute names, without overlap, none larger than
/// the file can hold, none that unpacks to a multiple of any honest graph, and those that a TorchScript graph needs.
/// Then reads its code and its pickles (io/graph/graph_program.hpp), against their checksums: what writes files, calls
/// Python or runs while it is loaded is refused. Throws Error{kind} otherwise. Tensors are not read. A graph that
/// passes is still a program (docs/security.md).
void check_graph_archive(const std::filesystem::path& path, ErrorKind kind = ErrorKind::model);

/// Checks an archive that lies in memory, as a file is checked; `name` is the file that errors speak of.
void check_graph_archive(std::span<const std::byte> archive, const std::string& name,
                         ErrorKind kind = ErrorKind::model);

/// The tensors that the graph at `path` needs, by the names that diffusers gives them: the parameters that stand at its
/// root, which are all it has where weights are bound to it. What the graph keeps as its own tables is none of them.
/// Checks and throws as `check_graph_archive`.
std::vector<core::TensorShape> graph_parameters(const std::filesystem::path& path, ErrorKind kind = ErrorKind::model);

}  // namespace lapis::io
