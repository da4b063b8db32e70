// TorchScript graphs, looked at from outside before libtorch opens them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace lapis::io {

/// Checks that the file at `path` is a zip archive as TorchScript writes it (APPNOTE.TXT of PKWARE, zip64 included):
/// stored or deflated entries under one top folder, without ".." or absolute names, without overlap, none larger than
/// the file can hold, none that unpacks to a multiple of any honest graph, and those that a TorchScript graph needs.
/// Throws Error{model} otherwise. Nothing is unpacked. A graph that passes is whole on the outside, not harmless: it
/// is a program.
void check_graph_archive(const std::filesystem::path& path);

/// The same for bytes in memory; `name` is the file that errors speak of.
void check_graph_archive(std::span<const std::byte> archive, const std::string& name);

}  // namespace lapis::io
