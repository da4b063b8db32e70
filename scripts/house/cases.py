"""The checker's own test: a small tree that keeps the rules, and breaks of every rule to plant in it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLEAN = {
    "CMakeLists.txt": "add_subdirectory(src/core)\n",
    "include/lapis/space.hpp": "#pragma once\n#include <string>\n#include \"lapis/error.hpp\"\n",
    "include/lapis/error.hpp": "#pragma once\n#include <cstdint>\n",
    "src/core/CMakeLists.txt": "add_library(lapis_core STATIC\n  unicode.cpp\n)\n",
    "src/core/unicode.hpp": "#pragma once\n#include \"lapis/space.hpp\"\n",
    "src/core/unicode.cpp": "#include \"core/unicode.hpp\"\n#include <unicode/unistr.h>\n",
    "src/io/CMakeLists.txt": "add_library(lapis_io STATIC\n  png.cpp\n)\n",
    "src/io/png.hpp": "#pragma once\n",
    "src/io/png.cpp": "#include \"png.hpp\"\n#include <png.h>\n#include \"core/unicode.hpp\"\n",
    "src/engine/CMakeLists.txt": "add_library(lapis_engine SHARED\n  graph.cpp\n)\nlink(torch::torch_cpu)\n",
    "src/engine/graph.cpp": "#include <torch/csrc/jit/api/module.h>\n#include <ATen/core/Tensor.h>\n",
    "src/cli/CMakeLists.txt": "add_executable(lapis\n  commands.cpp\n  main.cpp\n  terminal.cpp\n)\n",
    "src/cli/commands.cpp": "constexpr std::array table{Command{\"list\", \"Show models\", declare_list}};\n",
    "src/cli/main.cpp": "#include <CLI/CLI.hpp>\n#include \"lapis/engine.hpp\"\nint main() {}\n",
    "src/cli/terminal.cpp": "#include \"cli/terminal.hpp\"\nvoid print() { printf(\"hello\"); }\n",
    "src/cli/terminal.hpp": "#pragma once\n",
    "tests/CMakeLists.txt": "add_library(lapis_test_main STATIC main.cpp)\n",
    "tests/main.cpp": "#include <catch2/catch.hpp>\n",
    "tests/core/CMakeLists.txt": "add_executable(test_core test_unicode.cpp)\n",
    "tests/core/test_unicode.cpp": "#include \"core/unicode.hpp\"\n",
    "tests/io/CMakeLists.txt": "add_executable(test_io test_all.cpp)\n",
    "tests/fuzz/CMakeLists.txt": "function(target name)\n add_executable(${name} ${name}.cpp)\ntarget(fuzz_png)\n",
    "tests/fuzz/fuzz_png.cpp": "#include \"io/png.hpp\"\n",
    "tests/io/test_all.cpp": "#include \"io/png.hpp\"\n",
    "scripts/README.md": "- `tool.py`: a tool.\n- `tools/`: a package.\n",
    "scripts/tool.py": "",
    "scripts/tools/hammer.py": "",
}

# What must pass: lines that look a little like a break.
INNOCENT_CPP = """
// Sigma falls; the walk ends at zero, where (and only where) x is the picture;
// x0 = (x - sigma v) / alpha, as in the paper (eq. 7);
// c_skip = 1; c_out = -sigma;
// if the file is short, the rest is zero;
// return to the caller what was read so far
// for all rows of the table:
// See https://example.org/home/page/1.
// TODO(#12) says where.
void name() { snprintf(buffer, size, "std::cout << printf()"); }
void fail() { throw Error(kind, text + std::string(count, '('), "\\"stderr\\" is all it has: " + advice); }
void lines() { write(file, text + "\\n"); }
void names() { text = marked("{steps} 3, {lapis list}: scripts/setup.sh --cuda, ulimit -u, ---a, lapis lists"); }  // --steps
"""
INNOCENT_PYTHON = """
# return early when there is nothing to do
# for every row of the table:
# x = alpha * clean + sigma * noise
# import the weights, then the graph
# else: the other half of the sum
"""

# rule, file, what is added to the end of it. A file that the clean tree lacks is new.
BREAKS = [
    ("walls", "src/core/unicode.cpp", '#include "io/png.hpp"'),
    ("walls", "src/core/unicode.cpp", '#include "../io/png.hpp"'),
    ("walls", "src/core/unicode.cpp", "#include <fstream>"),
    ("walls", "src/io/png.cpp", '#include "engine/graph.hpp"'),
    ("walls", "src/engine/graph.cpp", '#include "cli/main.hpp"'),
    ("walls", "src/engine/graph.cpp", '#include "jobs/batch.hpp"'),
    ("walls", "src/cli/main.cpp", '#include "engine/graph.hpp"'),
    ("walls", "include/lapis/space.hpp", '#include "core/unicode.hpp"'),
    ("walls", "include/lapis/space.hpp", "#include <unistd.h>"),
    ("libraries", "src/core/unicode.cpp", "#include <nlohmann/json.hpp>"),
    ("libraries", "src/cli/main.cpp", "#include <png.h>"),
    ("libraries", "src/cli/main.cpp", "#include <jpeglib.h>"),
    ("libraries", "src/cli/main.cpp", "#include <openssl/evp.h>"),
    ("libraries", "src/engine/graph.cpp", "#include <stb_image_resize.h>"),
    ("libraries", "src/core/unicode.cpp", "#include <stb/stb_image.h>"),
    ("libraries", "src/io/png.cpp", "#include <stb/stb_easy_font.h>"),
    ("libraries", "src/io/png.cpp", "#include <ATen/core/Tensor.h>"),
    ("libraries", "src/io/png.cpp", "#include <c10/core/Device.h>"),
    ("libraries", "include/lapis/space.hpp", "#include <torch/csrc/jit/ir/ir.h>"),
    ("libraries", "src/io/png.cpp", "#include <CLI/CLI.hpp>"),
    ("libraries", "src/io/png.cpp", "#include <unicode/unistr.h>"),
    ("libraries", "src/engine/graph.cpp", "#include <torch/script.h>"),
    ("libraries", "tests/io/test_all.cpp", "#include <torch/torch.h>"),
    ("libraries", "src/cli/CMakeLists.txt", "target_link_libraries(lapis PRIVATE torch::torch_cpu)"),
    ("jit_in_one_file", "src/engine/second.cpp", "#include <torch/csrc/jit/serialization/import.h>"),
    ("jit_in_one_file", "src/engine/graph.hpp", "#include <torch/csrc/jit/api/module.h>"),
    ("group_order", "src/core/text/words.hpp", "#pragma once\n#include \"core/latent/units.hpp\"\n"),
    ("group_order", "src/io/attic/box.hpp", "#pragma once\n"),
    ("pragma_once", "src/core/bare.hpp", "int bare();"),
    ("commented_code", "src/core/unicode.cpp", "  // auto size = text.size();"),
    ("commented_code", "src/core/unicode.cpp", "// if (size > 3) {"),
    ("commented_code", "src/core/unicode.cpp", "// check(size, 3);"),
    ("commented_code", "src/core/unicode.cpp", "// return find(name);"),
    ("commented_code", "src/core/unicode.cpp", '// #include "core/suggest.hpp"'),
    ("commented_code", "src/core/unicode.cpp", "// }"),
    ("commented_code", "src/core/unicode.cpp", "#if 0"),
    ("commented_code", "scripts/tool.py", "# import torch"),
    ("commented_code", "scripts/tool.py", "# print(size)"),
    ("commented_code", "scripts/tool.py", "# for row in rows(3):"),
    ("bare_tasks", "src/core/unicode.cpp", "// TO" + "DO: surrogates"),
    ("bare_tasks", "scripts/tool.py", "size = 3  # FIX" + "ME"),
    ("printing", "src/io/png.cpp", 'void a() { std::cerr << "read"; }'),
    ("printing", "src/engine/graph.cpp", 'void a() { fprintf(stderr, "read"); }'),
    ("printing", "src/core/unicode.cpp", 'void a() { puts("read"); }'),
    ("printing", "src/cli/main.cpp", 'void a() { std::cout << "read"; }'),
    ("printing", "src/cli/main.cpp", "void a() { fwrite(text, 1, size, stdout); }"),
    ("printing", "src/cli/main.cpp", "void a() { write(STDERR_FILENO, text, size); }"),
    ("printing", "src/cli/main.cpp", "void a() { write(2, text, size); }"),
    ("advice_apart", "src/io/png.cpp", 'void a() { throw Error(kind, name(")") +\n " is damaged.\\nGive another"); }'),
    ("names_marked", "src/core/unicode.cpp", 'void a() { text = "Leave --steps out"; }'),
    ("names_marked", "src/io/png.cpp", 'void a() { text = "lapis list shows all"; }'),
    ("names_marked", "src/pipeline/list.cpp", 'void a() { text = sentence("Type: {lapis list} --to {}", model); }'),
    ("names_marked", "src/pipeline/list.cpp", 'void a() { text = sentence("Name one: -m MODEL"); }'),
    ("file_length", "src/core/unicode.cpp", "int a;\n" * 450),
    ("room_length", "include/lapis/space.hpp", "int a;\n" * 1300),
    ("function_length", "src/core/unicode.cpp", "int size(int a) {\n" + "  ++a;\n" * 60 + "}"),
    ("function_length", "scripts/tool.py", "def size(a):\n" + "    a += 1\n" * 60),
    ("sources_listed", "src/core/lost.cpp", "int lost;"),
    ("sources_listed", "src/engine/adapters/lost.cpp", "int lost;"),
    ("sources_listed", "tests/core/test_lost.cpp", "int lost;"),
    ("sources_listed", "tests/fuzz/fuzz_lost.cpp", "int lost;"),
    ("sources_tested", "src/io/untested.cpp", "int untested;"),
    ("sources_tested", "src/pipeline/untested.cpp", "int untested;"),
    ("scripts_named", "scripts/lost.py", "size = 3"),
    ("scripts_named", "scripts/README.md", "- `gone.py`: what is gone."),
    ("machine_paths", "docs/a.md", "Run it in /ro" + "ot/lapis."),
    ("machine_paths", "scripts/tool.sh", "cd /home/" + "anna/lapis"),
    ("generated_files", "src/core/unicode.o", "object"),
    ("generated_files", "build/release/lapis", "program"),
    ("generated_files", "models/tiny/big.pt", "x" * 45_000_001),
    ("run_bits", "scripts/tool.sh", "#!/bin/sh"),
]


def plant(root: Path, extra: dict[str, str]) -> None:
    """Write the clean tree, and `extra` at the end of its files."""
    for path in [*CLEAN, *(path for path in extra if path not in CLEAN)]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(CLEAN.get(path, "") + extra.get(path, "") + "\n")


def found(check: Callable[[Path], list[Any]], extra: dict[str, str]) -> list[Any]:
    """What the checker finds in a clean tree with `extra`."""
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), extra)
        return check(Path(folder))


def self_test(check: Callable[[Path], list[Any]], rules: set[str]) -> int:
    """Every planted break is found by its own rule in its own file; the clean and the innocent pass."""
    faults = [f"no case for the rule {rule}" for rule in sorted(rules - {rule for rule, _, _ in BREAKS})]
    faults += [f"found in a clean tree: {finding}" for finding in found(check, {})]
    innocent = {"src/core/unicode.cpp": INNOCENT_CPP, "scripts/tool.py": INNOCENT_PYTHON}
    faults += [f"found among the innocent: {finding}" for finding in found(check, innocent)]
    for rule, path, text in BREAKS:
        where = {(finding.rule, finding.path) for finding in found(check, {path: text})}
        # The size of models/, or of a room, is a matter of the folder.
        if (rule, path) not in where and (rule, path.split("/", maxsplit=1)[0]) not in where:
            faults.append(f"not found: {rule} in {path}: {text[:60]!r}")
    for fault in faults:
        print(f"house: {fault}", file=sys.stderr)
    return 1 if faults else 0
