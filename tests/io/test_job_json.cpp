#include <catch2/catch.hpp>
#include <string>

#include "core/job/job_fields.hpp"
#include "io/report/job_json.hpp"
#include "io/report/report.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::string job_text(const std::string& fields) { return R"({"version": "1", "job": )" + fields + "}"; }

}  // namespace

TEST_CASE("LoRAs are recorded with their digests") {
  ResolvedJob job;
  job.loras = {"style:0.5"};
  Attachments added;
  added.loras = {{"style", std::string(64, 'a'), std::string(64, 'b'), 0.5, 0.5, false}};
  const std::string text = provenance(core::resolved_fields(job, Model()), Model(), added);
  CHECK(job_from_json(text, "a").loras == job.loras);
  CHECK(lora_digests(text, "a") == std::map<std::string, std::string>{{"style", std::string(64, 'a')}});
  CHECK(lora_digests(job_text("{}"), "a").empty());
  CHECK_THROWS_AS(lora_digests(R"({"version": "1", "job": {}, "loras": [{"name": "a"}]})", "a"), Error);
}

TEST_CASE("a job reads back as what provenance wrote of it") {
  ResolvedJob job;
  job.prompt = "a \"lake\"\nat dusk";
  job.negative_prompt = "caf\u00e9";
  job.embeddings = {"charm", "other"};
  job.width = 128;
  job.height = 192;
  job.steps = 20;
  job.guidance = 0.1 + 0.2;
  job.seed = ~std::uint64_t{0};
  job.sampler = "unipc";
  job.sigmas = {3.0, 0.1 + 0.2};
  job.eta = 1.0 / 3;
  job.stop_at = 7;
  job.init_latent = "sha256:ab";
  Model model;
  model.name = "sample";
  const Fields fields = core::resolved_fields(job, model);
  const Job back = job_from_json(provenance(fields, model), "a.safetensors");
  CHECK(back.prompt == job.prompt);
  CHECK(back.negative_prompt == job.negative_prompt);
  CHECK(back.embeddings == job.embeddings);
  CHECK(back.model == "sample");
  CHECK(back.width == 128);
  CHECK(back.guidance == job.guidance);
  CHECK(back.seed == job.seed);
  CHECK(back.sigmas == "3,0.30000000000000004");
  CHECK(back.eta == job.eta);
  CHECK(back.stop_at == 7);
  CHECK(back.init_latent == "sha256:ab");
  CHECK_FALSE(back.image);
  CHECK(back.prompt_syntax == "plain");
}

TEST_CASE("a whole number stands for a number, and not the other way round") {
  CHECK(job_from_json(job_text(R"({"guidance": 7})"), "a").guidance == 7.0);
  check_fails(ErrorKind::input, {"a.safetensors", "steps", "whole number"},
              [] { job_from_json(job_text(R"({"steps": 7.5})"), "a.safetensors"); });
}

TEST_CASE("what is no recorded job is refused with the file's name") {
  const auto refused = [](const std::string& text, const std::vector<std::string>& says) {
    INFO(text);
    check_fails(ErrorKind::input, says, [&] { job_from_json(text, "a.safetensors"); });
  };
  refused("", {"a.safetensors", "Give prompt"});
  refused("[]", {"a.safetensors"});
  refused(R"({"version": "1"})", {"job"});
  refused(R"({"job": {}, "jobs": {}})", {"jobs"});
  refused(job_text("[]"), {"job"});
  refused(job_text(R"({"promt": "a lake"})"), {"promt", "Did you mean \"prompt\"?"});
  refused(job_text(R"({"prompt": 1})"), {"prompt"});
  refused(job_text(R"({"seed": "1"})"), {"seed"});
  refused(job_text(R"({"seed": 99999999999999999999})"), {"seed"});
  refused(job_text(R"({"embeddings": "charm"})"), {"embeddings"});
  refused(job_text(R"({"sampler": null})"), {"sampler"});
  refused(job_text(R"({"steps": 1, "steps": 2})"), {"steps"});
}

TEST_CASE("a line by hand says what it names and no more") {
  const JobLine line =
      read_job_line(R"({"prompt": "@a lake", "seed": 18446744073709551615, "sampler": "DPM++ 2M Karras",
                                         "loras": ["a:0.5"], "guidance": 3, "name": "first"})",
                    "a.jsonl, line 1");
  CHECK(line.command == "generate");
  CHECK(line.name == "first");
  CHECK(line.job.prompt == "@a lake");
  CHECK(line.job.seed == ~std::uint64_t{0});
  CHECK(line.job.loras == std::vector<std::string>{"a:0.5"});
  CHECK(line.named == std::set<std::string>{"prompt", "seed", "sampler", "schedule", "loras", "guidance"});
  CHECK_FALSE(line.is_record);
}

TEST_CASE("lines of the other commands have their files, and words of their own") {
  const JobLine convert = read_job_line(R"({"command": "convert", "latent": "a.safetensors", "to": "tiny-sdxl",
                                            "compensate": false, "dtype": "f16", "output": "b.safetensors"})",
                                        "a");
  CHECK(convert.inputs == std::vector<std::string>{"a.safetensors"});
  CHECK(convert.words ==
        std::map<std::string, std::string>{{"compensate", "off"}, {"dtype", "f16"}, {"to", "tiny-sdxl"}});
  CHECK(convert.job.output == "b.safetensors");
  CHECK_FALSE(convert.job.dtype);
  const JobLine encode =
      read_job_line(R"({"command": "encode", "images": ["a.png", "b.png"], "model": "tiny-sd15"})", "a");
  CHECK(encode.inputs.size() == 2);
  check_fails(ErrorKind::input, {"a", "steps"},
              [] { read_job_line(R"({"command": "decode", "latent": "a", "steps": 3})", "a"); });
  check_fails(ErrorKind::input, {"lacks the key", "latent"}, [] { read_job_line(R"({"command": "decode"})", "a"); });
  check_fails(ErrorKind::input, {"command", "decode"}, [] { read_job_line(R"({"command": "decod"})", "a"); });
}

TEST_CASE("what is no line of a job is refused with its place") {
  const std::string name = "jobs.jsonl, line 3";
  for (const char* text :
       {"", "a lake", "[]", "{\"prompt\": 3}", "{\"prompt\": \"a\", \"prompt\": \"b\"}", "{\"steps\": 1.5}"}) {
    check_fails(ErrorKind::input, {name}, [&] { read_job_line(text, name); });
  }
  check_fails(ErrorKind::input, {"guidence", "guidance"}, [&] { read_job_line(R"({"guidence": 3})", name); });
}

TEST_CASE("a result line of a picture is its job, without the facts of that run") {
  PictureReport report;
  ResolvedJob job;
  job.prompt = "a lake";
  job.seed = 9;
  report.fields = core::resolved_fields(job, Model());
  report.path = "a.png";
  const JobLine line = read_job_line(picture_line(report), "a");
  CHECK(line.is_record);
  CHECK(line.job.prompt == "a lake");
  CHECK(line.job.seed == 9);
  CHECK_FALSE(line.job.output);
  CHECK(read_job_line(job_output_line(picture_line(report), 3), "a").job.seed == 9);
}

TEST_CASE("every field of a job can be said in a line of generate") {
  for (const core::JobField& field : core::job_fields()) CHECK(takes_field("generate", field.key));
  CHECK_FALSE(takes_field("refine", "image"));
  CHECK_FALSE(takes_field("decode", "steps"));
  CHECK(line_commands().size() == 5);
}
