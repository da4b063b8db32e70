// Draws a picture, and keeps its latent: render PROMPT PICTURE.png LATENT.safetensors
#include <iostream>
#include <lapis/session.hpp>

int main(int argc, char** argv) try {
  if (argc != 4) throw lapis::Error(lapis::ErrorKind::usage, "render PROMPT PICTURE.png LATENT.safetensors");
  lapis::Session session;
  lapis::Job job;
  job.prompt = argv[1];
  job.model = "tiny-sd15";
  job.seed = 7;
  const lapis::LatentDocument latent =
      session.render(job, [&](const lapis::Picture& picture) { lapis::write_file(argv[2], picture.png); });
  lapis::write_file(argv[3], lapis::latent_bytes(latent));
} catch (const lapis::Error& error) {
  std::cerr << error.what() << '\n';
  return lapis::exit_code(error.kind());
}
