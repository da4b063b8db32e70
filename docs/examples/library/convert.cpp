// Brings a latent into the space of another model: convert LATENT MODEL RESULT
#include <iostream>
#include <lapis/session.hpp>

int main(int argc, char** argv) try {
  if (argc != 4) throw lapis::Error(lapis::ErrorKind::usage, "convert LATENT MODEL RESULT");
  for (const lapis::Finding& finding : lapis::Session().check({argv[1]}, argv[2])) std::cout << finding.verdict << '\n';
  const lapis::LatentDocument latent = lapis::Session().convert(lapis::read_latent(argv[1]), argv[2]);
  lapis::write_file(argv[3], lapis::latent_bytes(latent));
} catch (const lapis::Error& error) {
  std::cerr << error.what() << '\n';
  return lapis::exit_code(error.kind());
}
