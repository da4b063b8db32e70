#!/usr/bin/env python3
"""Hold the rules of the house: which room may include what, and what must not lie about in the tree.

Each rule is one function below that yields findings; docs/ and the comments beside the tables say what the rooms are.
--self-test plants one break of every rule in a small tree and requires that it is found, and that nothing else is.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

from program import ROOT

# A room includes itself and the rooms named here, and lapis/*.hpp. The engine is reached by lapis/engine.hpp alone.
ROOMS = {
    "core": ["core"],
    "io": ["io", "core"],
    "engine": ["engine", "io", "core"],
    "pipeline": ["pipeline", "io", "core"],
    "jobs": ["jobs", "pipeline", "io", "core"],
    "library": ["library", "pipeline", "io", "core"],
    "cli": ["cli", "jobs", "pipeline", "io", "core"],
    "promise": [],
}
# The groups of a room, a folder each: a group includes itself and those before it. What lies beside them may include all.
GROUPS = {
    "core": ["text", "family", "checkpoint", "latent", "prompt", "picture", "sampling", "job", "model"],
    "io": ["file", "graph", "picture", "model", "checkpoint", "latent", "prompt", "report"],
}
# The one room that sees a library, by the start of the header's name; of two starts the first counts.
OWNERS = {
    "ATen/": "engine", "torch/": "engine", "c10/": "engine", "caffe2/": "engine",
    "png.h": "io", "jpeglib.h": "io", "jerror.h": "io", "nlohmann/": "io", "openssl/": "io",
    "stb/stb_easy_font.h": "core", "stb": "io",
    "CLI/": "cli", "unicode/": "core", "sentencepiece": "core", "fmt/": "core",
}
# Headers that cost 13 to 23 seconds wherever they are included.
SLOW_HEADERS = {"torch/script.h", "torch/torch.h", "torch/all.h", "torch/extension.h", "ATen/ATen.h", "ATen/Functions.h"}
JIT_HEADERS = {"torch/csrc/jit/api/module.h", "torch/csrc/jit/serialization/import.h"}
# core opens no file.
FILE_HEADERS = re.compile(r"(fstream|iostream|unistd\.h|fcntl\.h|sys/.*)$")
STANDARD_HEADER = re.compile(r"[a-z_]+$")

MAX_FILE_LINES = 450
# The most lines of code a folder may have, those of its subfolders among them. One that is not there has none.
ROOM_LINES = {
    "include": 1_250, "src/core": 15_640, "src/io": 16_480, "src/engine": 3_750, "src/pipeline": 8_480, "src/jobs": 3_650,
    "src/library": 300, "src/cli": 4_300, "tests": 38_900, "scripts": 13_050,
}
MAX_FUNCTION_LINES = 60
MODELS_MAX_BYTES = 45_000_000

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
# The one file that writes to the terminal, and what writes there: streams, calls, descriptors by name or number.
DOOR = "src/cli/terminal.cpp"
PRINTING = re.compile(r"std::(cout|cerr|clog|print|println)\b|\b(v?f?printf|f?puts|f?putc|putchar|perror|psignal)\s*\(|"
                      r"\bv?dprintf\s*\(|\b(stdout|stderr|STDOUT_FILENO|STDERR_FILENO)\b|\bp?writev?\s*\(\s*[12]\s*,")
STRING = re.compile(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])+\'')
# What a command line alone calls things: its flags, its commands, and the table of those.
FLAG = re.compile(r"(?<![\w*-])(--[a-z]|-[a-zA-Z](?![\w-]))")
COMMANDS = "src/cli/commands.cpp"
COMMAND_ROW = re.compile(r'Command\{"(\w+)"')
FLAG_TEXTS = {
    "src/core/job/job_fields.cpp",    # the column of flags
    "src/io/report/matrix_page.cpp",  # a page of `lapis matrix`
}
# Lines of other programs, whose flags are theirs.
OTHER_LINE = re.compile(r"(scripts/[\w/]+\.(sh|py)|cmake|hf download \{\})( --[\w-]+)*|(ulimit|python) -\w")
BARE_TASK = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b(?!\(#\d+\))")
MACHINE_PATH = re.compile(r"(?<![\w.\-})/])/(root|work|Users/\w+|home/(?!(you|user|me)\b)\w+)/")
GENERATED = re.compile("|".join([
    r"(^|/)(build|\.deps|\.venv|\.train|__pycache__|CMakeFiles)/",
    r"\.(o|a|so|pyc|whl|log|gcda|gcno|orig|rej|swp)$",
    r"(^|/)(CMakeCache\.txt|compile_commands\.json)$",
]))

# Statements, by their shape. A formula or a sentence that ends in a semicolon is none of these.
COMMENTED_CPP = re.compile("|".join([
    r"#\s*(include|define|if|ifdef|ifndef|endif|pragma)\b.*",
    r"\}( else \{)?;?",
    r"(if|for|while|switch) \(.*\)( \{|.*;)",
    r"(break|continue|return( [\w.:\[\]]+| .*[(.:].*)?|(throw|using|delete) .*);",
    r"(const |static |constexpr )*[\w:]+(<[^ ].*>)?[&*]* \w+( = .+|\(.*\)|\{.*\});",
    r"[\w.:\[\]]+(->[\w.:\[\]]+)*(\(.*\)| [-+*/|&]?= .*(::|->|\w\().*|\+\+|--);",
    r"\S.*\) (const )?(noexcept )?\{",
]))


class Finding(NamedTuple):
    """One break of a rule."""

    rule: str
    path: str
    line: int
    text: str


class House:
    """The tree under one root, each file read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lines: dict[str, list[str]] = {}

    def lines(self, path: str) -> list[str]:
        """The file's lines; none for bytes that are no text, and for weights."""
        if path not in self._lines:
            file = self.root / path
            try:
                self._lines[path] = file.read_text("utf-8").splitlines() if file.stat().st_size < 4_000_000 else []
            except UnicodeDecodeError:
                self._lines[path] = []
        return self._lines[path]

    @cached_property
    def code(self) -> list[str]:
        """Sources, headers and scripts, in git or not yet."""
        found = [path for folder in ("include", "src", "tests", "scripts", ".ci")
                 for path in sorted((self.root / folder).rglob("*")) if path.is_file()]
        names = [path.relative_to(self.root).as_posix() for path in found]
        return [name for name in names if "__pycache__" not in name
                and (name.endswith((".hpp", ".cpp", ".py", ".sh")) or self.has_shebang(name))]

    @cached_property
    def kept(self) -> list[str]:
        """What git keeps; every file where there is no git."""
        if (self.root / ".git").exists():
            listing = subprocess.run(["git", "ls-files", "-z"], cwd=self.root, capture_output=True, check=True)
            names = [name for name in listing.stdout.decode().split("\0") if name]
            return [name for name in names if (self.root / name).is_file()]
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def has_shebang(self, path: str) -> bool:
        """Whether the file starts with #!."""
        with (self.root / path).open("rb") as file:
            return file.read(2) == b"#!"

    def includes(self, path: str) -> Iterator[tuple[int, str]]:
        """Line and name of every header a source includes; one from its own folder gets its room's name."""
        for number, line in enumerate(self.lines(path), 1):
            if match := INCLUDE.match(line):
                mark, name = match.groups()
                own = mark == '"' and "/" not in name and room_of(path) in ROOMS
                yield number, f"{room_of(path)}/{name}" if own else name

    def cpp(self, *folders: str) -> list[str]:
        """The C++ files below the folders."""
        return [path for path in self.code if path.endswith((".hpp", ".cpp")) and path.startswith(folders)]


def room_of(path: str) -> str:
    """The room a file belongs to; for what is in no room, its top folder."""
    parts = path.split("/")
    if parts[:2] == ["include", "lapis"]:
        return "promise"
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def walls(house: House) -> Iterator[Finding]:
    """A room includes itself, the rooms to its right and lapis/*.hpp; the promise only std and itself."""
    for path in house.cpp("src/", "include/"):
        room = room_of(path)
        for line, name in house.includes(path):
            target = name.split("/")[0]
            if ".." in name or target in ("src", "include"):
                yield Finding("walls", path, line, f"{name}: name headers from the top of src/ or include/")
            elif target in ROOMS and target not in (*ROOMS[room], room):
                yield Finding("walls", path, line, f"{room} may not include {name}")
            elif room == "promise" and not STANDARD_HEADER.match(name) and target not in ("lapis", "promise"):
                yield Finding("walls", path, line, f"include/lapis may include only std and lapis/, not {name}")
            elif room == "core" and FILE_HEADERS.match(name):
                yield Finding("walls", path, line, f"core opens no file and prints nothing: {name}")


def group_order(house: House) -> Iterator[Finding]:
    """A group of a room includes none that comes after it, so that groups can be read one after the other."""
    for room, groups in GROUPS.items():
        for path in house.cpp(f"src/{room}/"):
            group = path.split("/")[2]
            if group not in groups:
                if path.count("/") > 2:
                    yield Finding("group_order", path, 1, f"{group} is no group of {room}; add it to GROUPS, in its place")
                continue
            for line, name in house.includes(path):
                parts = name.split("/")
                if len(parts) > 2 and parts[0] == room and parts[1] in groups[groups.index(group) + 1:]:
                    yield Finding("group_order", path, line, f"{group} comes before {parts[1]} and may not include {name}")


def libraries(house: House) -> Iterator[Finding]:
    """Every library is seen by one room alone, the slow headers by none."""
    for path in house.cpp("src/", "include/", "tests/"):
        for line, name in house.includes(path):
            owner = next((room for start, room in OWNERS.items() if name.startswith(start)), None)
            if name in SLOW_HEADERS:
                yield Finding("libraries", path, line, f"{name} is slow to compile; include what is used, one by one")
            elif owner and not path.startswith("tests/") and room_of(path) != owner:
                yield Finding("libraries", path, line, f"only {owner} may include {name}")
    for path in [name for name in house.kept if name.endswith("CMakeLists.txt") and "/engine/" not in name]:
        for line, text in enumerate(house.lines(path), 1):
            if "torch::" in text:
                yield Finding("libraries", path, line, "only the engine links libtorch")


def jit_in_one_file(house: House) -> Iterator[Finding]:
    """The TorchScript loader is included in one .cpp, so that another kind of graph has one door too."""
    users = [(path, line) for path in house.cpp("src/", "include/", "tests/")
             for line, name in house.includes(path) if name in JIT_HEADERS]
    sources = sorted({path for path, _ in users if path.endswith(".cpp")})
    for path, line in users:
        if path.endswith(".hpp") or path in sources[1:]:
            yield Finding("jit_in_one_file", path, line, "the jit headers belong into one .cpp" +
                          (f", which is {sources[0]}" if sources else ""))


def pragma_once(house: House) -> Iterator[Finding]:
    """Every header guards itself."""
    for path in house.cpp("src/", "include/", "tests/"):
        if path.endswith(".hpp") and "#pragma once" not in house.lines(path):
            yield Finding("pragma_once", path, 1, "no #pragma once")


def is_code_cpp(comment: str) -> bool:
    """Whether a C++ comment is a statement somebody switched off."""
    return bool(COMMENTED_CPP.fullmatch(comment))


def is_code_python(comment: str) -> bool:
    """Whether a Python comment is a statement somebody switched off."""
    if re.fullmatch(r"(def \w+\(.*\).*|class \w+(\(.*\))?|(if|elif|for|while|with) .*[(=\[].*|try|else):", comment):
        return True
    try:
        body = ast.parse(comment).body
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.Import | ast.ImportFrom) or
               (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) for node in body)


def commented_code(house: House) -> Iterator[Finding]:
    """Code that does not run is deleted; git remembers it."""
    for path in house.code:
        is_cpp = path.endswith((".hpp", ".cpp"))
        if not is_cpp and not path.endswith(".py"):
            continue
        mark, is_code = (r"\s*//(?!/)\s?(.*)", is_code_cpp) if is_cpp else (r"\s*#(?!!)\s?(.*)", is_code_python)
        for number, line in enumerate(house.lines(path), 1):
            match = re.match(mark, line)
            if (match and is_code(match[1].strip())) or (is_cpp and re.match(r"\s*#\s*if\s+0\b", line)):
                yield Finding("commented_code", path, number, f"commented-out code: {line.strip()}")


def bare_tasks(house: House) -> Iterator[Finding]:
    """A task left in the code names its issue: TODO(#12)."""
    for path in house.code:
        for number, line in enumerate(house.lines(path), 1):
            if BARE_TASK.search(line):
                yield Finding("bare_tasks", path, number, f"a task without an issue number: {line.strip()}")


def printing(house: House) -> Iterator[Finding]:
    """Only one file writes to the terminal, for it is where strangers' texts are escaped."""
    for path in house.cpp("src/", "include/"):
        if path == DOOR:
            continue
        for number, line in enumerate(house.lines(path), 1):
            code = re.sub(r"//.*", "", STRING.sub("", line))
            if PRINTING.search(code):
                yield Finding("printing", path, number, f"only {DOOR} prints: {line.strip()}")


def advice_apart(house: House) -> Iterator[Finding]:
    """An Error's advice is an argument of its own: a line break in its text would be taken for a stranger's."""
    for path in house.cpp("src/", "include/"):
        text = "\n".join(house.lines(path))
        for start in re.finditer(r"\bError\(", text):
            depth, at = 1, start.end()
            while depth and at < len(text):
                if literal := STRING.match(text, at):
                    if "\\n" in literal[0]:
                        yield Finding("advice_apart", path, text.count("\n", 0, at) + 1,
                                      f"Error(kind, problem, advice) takes the second line apart: {literal[0]}")
                    at = literal.end()
                    continue
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                at += 1


def names_marked(house: House) -> Iterator[Finding]:
    """Texts below the command line name fields and commands by marks (core/text/names.hpp), which it spells."""
    commands = COMMAND_ROW.findall("\n".join(house.lines(COMMANDS))) if (house.root / COMMANDS).is_file() else []
    line_of_ours = re.compile(rf"(?<!\{{)\blapis ({'|'.join(commands)})\b") if commands else None
    for path in house.cpp("src/core/", "src/io/", "src/engine/", "src/pipeline/", "src/jobs/"):
        if path in FLAG_TEXTS:
            continue
        for number, line in enumerate(house.lines(path), 1):
            code = STRING.sub(lambda literal: "x" * len(literal[0]), line).split("//", maxsplit=1)[0]
            for literal in STRING.finditer(line, 0, len(code)):
                text = OTHER_LINE.sub("", literal[0][1:-1])
                if FLAG.search(text) or (line_of_ours and line_of_ours.search(text)):
                    yield Finding("names_marked", path, number, f"braces mark fields and commands: {literal[0]}")


def file_length(house: House) -> Iterator[Finding]:
    """A file is read in one sitting."""
    for path in house.code:
        if (count := len(house.lines(path))) > MAX_FILE_LINES:
            yield Finding("file_length", path, count, f"{count} lines, more than {MAX_FILE_LINES}; split it")


def room_length(house: House) -> Iterator[Finding]:
    """A room grows because somebody decided it, not line by line."""
    for room, most in ROOM_LINES.items():
        count = sum(len(house.lines(path)) for path in house.code if path.startswith(f"{room}/"))
        if count > most:
            yield Finding("room_length", room, 1, f"{count} lines, more than {most}; raise the budget on purpose, in "
                                                  "scripts/house/check.py, if this growth is wanted")


def functions_of(path: str, lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Name, first line and length of every function: exact in Python, by the layout of clang-format in C++."""
    if path.endswith(".py"):
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1
        return
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z].*\(", line) and not re.match(r"(namespace|class|struct|enum|union|TEST_CASE)\b", line):
            start = number
        elif line.startswith("}"):
            if start is not None and line == "}":
                yield lines[start - 1].split("(")[0].split(" ")[-1], start, number - start + 1
            start = None


def function_length(house: House) -> Iterator[Finding]:
    """A function fits on a page. Tests and their tables are spared."""
    for path in house.code:
        if path.endswith((".hpp", ".cpp", ".py")) and not path.startswith("tests/"):
            for name, line, length in functions_of(path, house.lines(path)):
                if length > MAX_FUNCTION_LINES:
                    text = f"{name} has {length} lines, more than {MAX_FUNCTION_LINES}"
                    yield Finding("function_length", path, line, text)


def sources_listed(house: House) -> Iterator[Finding]:
    """Every source is built: its room's CMakeLists.txt names it."""
    for path in house.cpp("src/", "tests/"):
        folders = [folder for folder in Path(path).parents if (house.root / folder / "CMakeLists.txt").is_file()]
        near = folders[0]
        inside = Path(path).relative_to(near).as_posix()
        text = "\n".join(house.lines((near / "CMakeLists.txt").as_posix()))
        if "${name}.cpp" in text:  # a function there makes the program from its name
            inside = Path(inside).stem
        if path.endswith(".cpp") and not re.search(rf"(?<![\w/.]){re.escape(inside)}(?![\w.])", text):
            yield Finding("sources_listed", path, 1, f"not listed in {(near / 'CMakeLists.txt').as_posix()}")


def sources_tested(house: House) -> Iterator[Finding]:
    """Every source of these rooms has a test of its own name, or one that includes its header or names it."""
    for room in ("core", "io", "pipeline", "jobs"):
        tests = house.cpp(f"tests/{room}/")
        words = set(re.findall(r"\w+", " ".join([*tests, *(line for path in tests for line in house.lines(path))])))
        for path in house.cpp(f"src/{room}/"):
            stem = Path(path).stem
            if path.endswith(".cpp") and not {stem, f"test_{stem}"} & words:
                yield Finding("sources_tested", path, 1, f"no tests/{room}/test_{stem}.cpp, and no test there names it")


def scripts_named(house: House) -> Iterator[Finding]:
    """scripts/README.md has a line for every script, or for the folder of a package, and none for what is gone."""
    page, top = "scripts/README.md", house.root / "scripts"
    named = {name: number for number, line in enumerate(house.lines(page), 1) for name in re.findall(r"^- `([^`]+)`", line)} \
        if (house.root / page).is_file() else {}
    for path in [name for name in house.code if name.startswith("scripts/") and not name.endswith("__init__.py")]:
        inside = Path(path).relative_to("scripts")
        if not {inside.as_posix(), *(f"{folder.as_posix()}/" for folder in inside.parents)} & named.keys():
            yield Finding("scripts_named", path, 1, f"{page} has no line for it")
    for name, line in named.items():
        if not (top / name).exists():
            yield Finding("scripts_named", page, line, f"there is no scripts/{name}")


def machine_paths(house: House) -> Iterator[Finding]:
    """Nothing in git knows the machine it was written on."""
    for path in house.kept:
        for number, line in enumerate(house.lines(path), 1):
            if match := MACHINE_PATH.search(line):
                yield Finding("machine_paths", path, number, f"a path of one machine: {match[0]}")


def generated_files(house: House) -> Iterator[Finding]:
    """Nothing in git can be made from the rest, and models/ stays small enough for git."""
    for path in house.kept:
        if GENERATED.search(path):
            yield Finding("generated_files", path, 1, "a generated file; take it out of git")
    size = sum((house.root / path).stat().st_size for path in house.kept if path.startswith("models/"))
    if size > MODELS_MAX_BYTES:
        yield Finding("generated_files", "models", 1, f"{size} bytes, more than {MODELS_MAX_BYTES}")


def run_bits(house: House) -> Iterator[Finding]:
    """What starts with #! can be run."""
    for path in house.code:
        if house.has_shebang(path) and not os.access(house.root / path, os.X_OK):
            yield Finding("run_bits", path, 1, f"has a shebang and no run bit: chmod +x {path}")


RULES: list[Callable[[House], Iterator[Finding]]] = [
    walls, group_order, libraries, jit_in_one_file, pragma_once, commented_code, bare_tasks, printing, advice_apart,
    names_marked, file_length, room_length, function_length, sources_listed, sources_tested, scripts_named,
    machine_paths, generated_files, run_bits,
]


def check(root: Path) -> list[Finding]:
    """Every finding of every rule."""
    house = House(root)
    return [finding for rule in RULES for finding in rule(house)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--self-test", action="store_true", help="check this checker")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help="the tree to check (this one)")
    options = parser.parse_args()
    if options.self_test:
        from house.cases import self_test  # only here: the cases are no part of a check
        return self_test(check, {rule.__name__ for rule in RULES})
    findings = check(options.root.resolve())
    for finding in findings:
        print(f"{finding.path}:{finding.line}: [{finding.rule}] {finding.text}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
