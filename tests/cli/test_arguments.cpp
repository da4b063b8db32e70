#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/foreign_words.hpp"
#include "lapis/error.hpp"

using lapis::cli::Arguments;

namespace {

/// A program with one option of each kind.
struct Program {
  Program() {
    app.set_help_flag("-h,--help", "Help");
    draw->add_option("-p,--prompt,prompt", prompt, "What to draw")->type_name("TEXT");
    draw->add_option("-t,--threads", threads, "Threads")->type_name("N");
    draw->add_option("-W,--width", width, "Width")->type_name("PIXELS");
    draw->add_option("-H,--height", height, "Height")->type_name("PIXELS");
    draw->add_option("--guidance", guidance, "Weight")->type_name("SCALE");
    draw->add_option("-l,--lora", loras, "Added")->type_name("FILE")->expected(1)->take_all();
    draw->add_option("--beside", beside, "Drawn beside it")->type_name("FILE");
    draw->add_flag("-j,--json", json, "As JSON");
    draw->add_flag("-q,--quiet", quiet, "Say nothing");
    open->add_option("files", files, "Files to open")->type_name("FILE")->required();
    open->add_option("--as", format, "Form")->type_name("NAME")->required();
    open->footer("Examples:\n  lapis open a.png --as png\n  lapis open b.png");
  }

  Arguments read(const std::vector<std::string>& words) {
    return lapis::cli::read_arguments(app, words, [](CLI::App&) {});
  }

  /// The refusal of a line.
  std::string refusal(const std::vector<std::string>& words) {
    try {
      read(words);
    } catch (const lapis::Error& error) {
      CHECK(error.kind() == lapis::ErrorKind::usage);
      return error.what();
    }
    return "";
  }

  CLI::App app{"A program", "lapis"};
  CLI::App* draw = app.add_subcommand("generate", "Draw");
  CLI::App* open = app.add_subcommand("open", "Open");
  std::string prompt;
  std::string width;
  std::string height;
  std::string guidance;
  std::string format;
  long threads = 0;
  std::vector<std::string> loras;
  std::vector<std::string> beside;
  std::vector<std::string> files;
  bool json = false;
  bool quiet = false;
};

}  // namespace

TEST_CASE("an option takes one value in each of its spellings, and leaves the words behind it alone") {
  const std::vector<std::vector<std::string>> spellings = {
      {"-t", "3"}, {"-t3"}, {"-t=3"}, {"--threads", "3"}, {"--threads=3"}};
  for (const auto& spelling : spellings) {
    for (const bool before : {true, false}) {
      std::vector<std::string> words = {"generate"};
      if (before) words.insert(words.end(), spelling.begin(), spelling.end());
      words.emplace_back("a red house");
      if (!before) words.insert(words.end(), spelling.begin(), spelling.end());
      Program program;
      CHECK(program.read(words).command == program.draw);
      CHECK(program.threads == 3);
      CHECK(program.prompt == "a red house");
    }
  }
}

TEST_CASE("a list takes one value each time, as it stands") {
  Program program;
  program.read({"generate", "--lora", "[a,b]", "-l", "c", "a house", "--lora=d e"});
  CHECK(program.loras == std::vector<std::string>{"[a,b]", "c", "d e"});
  CHECK(program.prompt == "a house");
}

TEST_CASE("an option of several values takes all words behind it, up to the next option") {
  Program program;
  program.read({"generate", "a house", "--beside", "a.png", "b.png", "-W", "64", "--beside=c.png", "--json"});
  CHECK(program.beside == std::vector<std::string>{"a.png", "b.png", "c.png"});
  CHECK(program.prompt == "a house");
}

TEST_CASE("values that look like options, numbers below zero, and what stands behind two hyphens") {
  Program program;
  program.read({"generate", "-t", "-1", "--guidance=--json", "-qj", "--", "-x"});
  CHECK(program.threads == -1);
  CHECK(program.guidance == "--json");
  CHECK(program.quiet);
  CHECK(program.json);
  CHECK(program.prompt == "-x");
}

TEST_CASE("a prompt may be a command's name, brackets, or empty") {
  for (const std::string prompt : {"open", "generate", "[a,b]", "{}", "%%", "", "++", "/x", "-"}) {
    Program program;
    program.read({"generate", "--json", prompt});
    CHECK(program.prompt == prompt);
    CHECK(program.draw->get_option("--prompt")->count() == 1);
  }
}

TEST_CASE("help and version are answered wherever they stand") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"generate", "--help"}, {"generate", "-h"}, {"generate", "--wrong", "-h", "x"}, {"help", "generate"}}) {
    Program program;
    const Arguments asked = program.read(words);
    CHECK(asked.kind == Arguments::Kind::help);
    CHECK(asked.command == program.draw);
  }
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{}, {"help"}, {"-h"}, {"--help"}}) {
    Program program;
    const Arguments asked = program.read(words);
    CHECK(asked.kind == Arguments::Kind::help);
    CHECK(asked.command == nullptr);
  }
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-V"}, {"--version"}, {"generate", "a", "--version"}, {"open", "-V"}}) {
    CHECK(Program().read(words).kind == Arguments::Kind::version);
  }
}

TEST_CASE("each mistake is told what to type") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"a red house"},
       "there is no command \"a red house\"; there are \"generate\" and \"open\"\n"
       "To draw it: lapis generate \"a red house\""},
      {{"a", "red", "house", "-t", "1"}, "lapis generate \"a red house\" -t 1"},
      {{"help", "house"}, "Try: lapis --help"},
      {{"genrate", "x"}, "Did you mean \"generate\"?"},
      {{"gen", "x"}, "Did you mean \"generate\"?"},
      {{"txt2img", "a house"}, "Type: lapis generate 'a house'"},
      {{"-p", "a house"}, "To draw a picture: lapis generate -p 'a house'"},
      {{"--json", "open", "a"}, "Type: lapis open --json a"},
      {{"--nonsense"}, "Try: lapis --help"},
      {{"generate", "a", "red", "house", "-t", "1"},
       "3 words to the shell; quotes make it one\n"
       "Type: lapis generate \"a red house\" -t 1"},
      {{"generate", "\u201ca", "house\u201d"}, "Type: lapis generate \"a house\""},
      {{"generate", "a \"b\"", "c"}, "Type: lapis generate 'a \"b\" c'"},
      {{"generate", "a", "-p", "b"}, "--prompt is given twice: \"b\" and \"a\"\nGive it once"},
      {{"generate", "--threads"}, "--threads lacks its value, N (Threads)\nTry: lapis generate --help"},
      {{"generate", "--threads", "--json"},
       "--threads lacks its value, N, and --json follows\n"
       "If that is the value: --threads=--json"},
      {{"generate", "-t", "--", "a"}, "-t lacks its value"},
      {{"generate", "-t", "many"}, "--threads is \"many\"; expected a whole number"},
      {{"generate", "-t", "1", "-t", "2"}, "--threads is given twice: \"1\" and \"2\""},
      {{"generate", "--json=5"}, "--json takes no value; found \"5\"\nLeave it out: --json"},
      {{"generate", "--thread", "3"},
       "there is no option \"--thread\". Did you mean \"--threads\"?\nType: --threads 3"},
      {{"generate", "--hei", "3"}, "Did you mean \"--height\"?\nType: --height 3"},
      {{"generate", "-T", "3"}, "there is no option \"-T\". Did you mean -t (Threads)?\nType: -t 3"},
      {{"generate", "-h", "256"}, "-h shows the help, and takes no number; the height is -H\nType: -H 256"},
      {{"generate", "-h256"}, "Type: -H 256"},
      {{"generate", "-threads", "3"},
       "\"-threads\" begins with one hyphen, and a long option with two\n"
       "Type: --threads 3"},
      {{"generate", "\u2014threads=3"}, "begins with a long dash, and an option with hyphens\nType: --threads 3"},
      {{"generate", "-cfg", "7"}, "there is no option \"--cfg\"\nType: --guidance 7"},
      {{"generate", "--cfg_scale=7"}, "there is no option \"--cfg_scale\"\nType: --guidance 7"},
      {{"generate", "--size", "256x128"}, "A size has two sides\nType: -W 256 -H 128"},
      {{"generate", "--silent"}, "Type: --quiet"},
      {{"generate", "--nothing"}, "there is no option \"--nothing\"\nTry: lapis generate --help"},
      {{"open", "a", "--as", "b", "--threads", "3"},
       "--threads is an option of generate, not of this command\n"
       "Try: lapis open --help"},
      {{"open", "--as", "png"}, "lapis open needs FILE: Files to open\nAs in: lapis open a.png --as png"},
      {{"open", "a"}, "lapis open needs --as NAME: Form\nAs in: lapis open a.png --as png"},
  };
  for (const auto& [words, says] : cases) {
    Program program;
    const std::string text = program.refusal(words);
    CAPTURE(text, says);
    CHECK(text.find(says) != std::string::npos);
  }
}

TEST_CASE("files and texts go where another tool's command has them") {
  using Case = std::pair<std::vector<std::string>, std::string>;
  const std::vector<Case> cases = {
      {{"upscale", "a.png"}, "Type: lapis generate TEXT -i a.png --hires 2"},
      {{"upscale", "a lake.png", "my.png", "-s", "3"}, "Type: lapis generate \"a lake.png\" -i my.png --hires 2 -s 3"},
      {{"upscale", "-s", "a.png"}, "Type: lapis generate TEXT -i FILE --hires 2 -s a.png"},
      {{"inpaint", "a.png", "b.png", "a red house"}, "Type: lapis generate \"a red house\" -i a.png --mask b.png"},
      {{"inpaint", "a lake"}, "Type: lapis generate \"a lake\" -i FILE --mask FILE"},
      {{"txt2img", "a lake", "-s", "3"}, "Type: lapis generate 'a lake' -s 3"},
  };
  for (const auto& [words, says] : cases) {
    Program program;
    const std::string text = program.refusal(words);
    CAPTURE(text, says);
    CHECK(text.find(says) != std::string::npos);
  }
}

TEST_CASE("no word of another tool stands twice, and each has an answer") {
  for (const auto rows : {lapis::cli::foreign_options(), lapis::cli::foreign_commands()}) {
    for (const lapis::cli::ForeignWord& row : rows) {
      CAPTURE(row.word);
      CHECK(lapis::cli::find_foreign(rows, row.word) == &row);
      CHECK(!(row.ours.empty() && row.note.empty()));
      CHECK(row.word != row.ours);
    }
  }
}
