#include <catch2/catch.hpp>

#include "cli/spelling.hpp"
#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"

using namespace lapis;

TEST_CASE("fields are spelled as their flags, and commands as lines begin") {
  CHECK(cli::spelled(core::marked("{steps} is 0; {loras} FILE, {in_format} comfy, {to} MODEL")) ==
        "--steps is 0; --lora FILE, --in-format comfy, --to MODEL");
  CHECK(cli::spelled(core::marked("{lapis generate} ... {-model} MODEL {-output} FILE {-steps} 3")) ==
        "lapis generate ... -m MODEL -o FILE --steps 3");
  CHECK(cli::spelled(core::marked("{model} of {-width}")) == "--model of -W");
  CHECK(cli::spelled("--steps") == "--steps");
  CHECK(cli::spelled(std::vector<std::string>{core::field_name("eta"), "b"}) == std::vector<std::string>{"--eta", "b"});
}

TEST_CASE("what a command takes without a flag is called as it says, but in lines of commands") {
  cli::spell_as("source", "a.png");
  CHECK(cli::spelled(core::marked("{source} is a picture: {lapis generate} {source} FILE")) ==
        "a.png is a picture: lapis generate --source FILE");
}

TEST_CASE("every field of a job is spelled as its first long flag") {
  for (const core::JobField& field : core::job_fields()) {
    CHECK(cli::spelled(core::field_name(field.key)) == core::long_flag(field));
  }
}
