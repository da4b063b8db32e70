#include <catch2/catch.hpp>
#include <string>

#include "io/graph/graph_program.hpp"

using namespace lapis::io;

namespace {

/// A module of TorchScript with `body` as the body of its forward.
std::string module_with(const std::string& body) {
  return "class Net(Module):\n"
         "  __parameters__ = [\"weight\", \"down/0/bias\", ]\n"
         "  __buffers__ = []\n"
         "  weight : Tensor\n"
         "  training : bool\n"
         "  __annotations__[\"0\"] = __torch__.torch.nn.modules.linear.Linear\n"
         "  padding : Final[Tuple[int, int]] = (1, -1)\n"
         "  def forward(self: __torch__.Net,\n"
         "    x: Tensor,\n"
         "    size: Optional[List[int]]=None) -> Tensor:\n" +
         body + "    return x\n";
}

std::string fault_of_source(const std::string& text) { return source_fault(text).value_or(""); }

/// Checks that a line in a function's body is refused, with `reason` in the words.
void check_line_refused(const std::string& line, const std::string& reason) {
  INFO(line);
  CHECK_THAT(fault_of_source(module_with("    " + line + "\n")), Catch::Contains(reason));
}

void check_line_passes(const std::string& line) {
  INFO(line);
  CHECK(fault_of_source(module_with("    " + line + "\n")).empty());
}

}  // namespace

TEST_CASE("what people export passes") {
  check_line_passes("y = torch.linear(x, getattr(self, \"down/0/bias\"), None)");
  check_line_passes(
      "if torch.ne(torch.dim(x), 4):\n      ops.prim.RaiseException(\"bad \\\"dims\\\"\\n\", \"a.B\")\n    else:\n"
      "      pass");
  check_line_passes("h, w = (ops.prim.NumToTensor(torch.size(x, 2)), inf)");
  check_line_passes("_9 = __torch__.torch.nn.functional.___torch_mangle_1.interpolate");
  check_line_passes("y = (getattr(self, \"0\")).forward(x, )");
  check_line_passes("i = (1 ^ 2) ^ 3\n    while _6:\n      _6, y2 = torch.lt(i, -3.e-05), torch.add(x, 1j)");
  check_line_passes(
      "z = annotate(List[Tensor], [torch.mul(x,\n   2.), x])\n\n\n    torch.warn(\"it says save, print and # here\", "
      "2)");
  check_line_passes("self.printed = self.prints\n    a = self.save_it");
  CHECK(fault_of_source("").empty());
  CHECK(fault_of_source("op_version_set = 1\ndef add(x: Tensor) -> Tensor:\n  return torch.add(x, 1)\n").empty());
}

TEST_CASE("operators on files are found however they are written") {
  for (const char* line : {
           "_0 = torch.save(x, \"/tmp/a\")",
           "_0 = torch . save(x, \"/tmp/a\")",
           "_0 = torch\t.\rsave (x, \"/tmp/a\")",
           "_0 = (torch\n.\n  save)(x, \"/tmp/a\")",
           "_0 = ops.aten.save(x, \"/tmp/a\")",
           "_0 = ops . aten\t. save(x, \"/tmp/a\")",
           "_0 = x.save(\"/tmp/a\")",
           "_0 = (x).save(\"/tmp/a\")",
           "f = x.save",
           "_0 = getattr(x, \"save\")(\"/tmp/a\")",
           "_0 = getattr(x, \"sa\" 'v' \"e\")(\"/tmp/a\")",
           "_0 = getattr(x, \"\\163ave\")(\"/tmp/a\")",
           "_0 = [torch.add(x, 1), torch.save(x, \"/tmp/a\")]",
           "if True:\n      while False:\n        _0 = torch.save(x, \"a\")",
           "_0 = 'a\\'' + str(torch.save(x, \"a\"))",
       }) {
    check_line_refused(line, "aten::save, which writes a file");
  }
  check_line_refused("_0 = torch.from_file(\"/etc/passwd\")", "aten::from_file, which maps a file");
  check_line_refused("_0 = \"/etc/passwd\".from_file()", "aten::from_file");
}

TEST_CASE("a name must say all of itself, so that none hides behind another") {
  check_line_refused("t = torch", "names torch without saying");
  check_line_refused("o = ops", "names ops without saying");
  check_line_refused("o = ops.aten", "names ops without saying");
  check_line_refused("o = getattr(ops, \"aten\")", "names ops without saying");
  check_line_refused("c = __torch__", "names __torch__ without saying");
  check_line_refused("c = __torch__.torch", "names __torch__ without saying");
  check_line_refused("c = getattr(__torch__.torch, \"a\")", "names __torch__ without saying");
}

TEST_CASE("other namespaces, Python and words that do more than tensors are refused") {
  check_line_refused("_0 = ops.quantized.linear_dynamic(x)", "quantized::linear_dynamic, which is of a namespace");
  check_line_refused("_0 = ops.my_ops.run(x)", "my_ops::run, which is of a namespace");
  check_line_refused("_0 = ops.prim.PythonOp(x)", "prim::PythonOp, which calls Python");
  check_line_refused("_0 = ^run(\"ls\")(x)", "a function of Python");
  check_line_refused("return ^run(\"ls\")(x)", "a function of Python");
  check_line_refused("print(x)", "print, which writes to the terminal");
  check_line_refused("p = print", "print, which writes to the terminal");
  check_line_refused("f = fork(__forked_function)", "fork, which starts work");
  check_line_refused("_0 = torch.set_(x, x)", "aten::set_, which can reach memory");
  check_line_refused("p = __torch__.torch.classes.quantized.Conv2dPackedParamsBase", "torch.classes");
  check_line_refused("p = annotate(List[__torch__ . torch . classes.a.B], [])", "torch.classes");
  check_line_refused("p = annotate(\"__torch__.torch.classes.a.B\", [])", "torch.classes");
}

TEST_CASE("an Enum is refused") {
  CHECK_THAT(fault_of_source("class Colour(Enum):\n  red : int = 1\n"), Catch::Contains("an Enum"));
}

TEST_CASE("nothing may run while a graph is loaded") {
  const std::string outside = "outside of a function's body";
  CHECK_THAT(fault_of_source(
                 "class A(Module):\n  def __setstate__(self: __torch__.A, s: int) -> NoneType:\n    return None\n"),
             Catch::Contains("__setstate__, which runs while a graph is loaded"));
  CHECK_THAT(fault_of_source("def f(x: Tensor=torch.zeros([1])) -> Tensor:\n  return x\n"), Catch::Contains(outside));
  CHECK_THAT(fault_of_source("class A(Module):\n  a : Final[Tensor] = torch.zeros([1])\n"), Catch::Contains(outside));
  CHECK_THAT(fault_of_source("class A(Module):\n  def f(self) -> int:\n    return f(1)\n  a : Final[int] = f(1)\n"),
             Catch::Contains(outside));
  CHECK_THAT(fault_of_source("a = f(1)\n"), Catch::Contains(outside));
  CHECK(fault_of_source("class A(Module):\n  def f(self) -> int:\n    return f(1)\n  a : Final[int] = 1\n").empty());
}

TEST_CASE("what torch.jit.save never writes is refused unread") {
  check_line_refused("x = 1  # torch", "a comment");
  check_line_refused("x = \\\n    1", "a continued line");
  check_line_refused("x = \"\"\"a\"\"\"", "three quotes");
  check_line_refused("x = '''a'''", "three quotes");
  check_line_refused("x = \"a", "a string without an end");
  check_line_refused("x = \"a\\", "a string without an end");
  check_line_passes("x = \"\"");
  check_line_passes("x = \"# '\"");
}

TEST_CASE("depths that a recursive parser would not survive") {
  const auto times = [](int count, const std::string& text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  check_line_passes("y = " + times(90, "(") + "x" + times(90, ")"));
  check_line_refused("y = " + times(200, "(") + "x" + times(200, ")"), "nested deeper");
  check_line_passes("y = x" + times(900, " + x"));
  check_line_refused("y = x" + times(5000, " + x"), "longer than");
  check_line_refused("y = " + times(5000, "not ") + "x", "longer than");
  check_line_passes("y = [" + times(9000, "-1, ") + "]");
  check_line_refused("if a:\n      pass" + times(600, "\n    elif a:\n      pass"), "nested deeper");
  check_line_refused("if a:\n" + times(300, " ") + "x = 1", "nested deeper");
}
