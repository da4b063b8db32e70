#include <catch2/catch.hpp>
#include <string>

#include "core/picture/sheet.hpp"
#include "core/picture/similarity.hpp"
#include "io/file/base64.hpp"
#include "io/picture/png.hpp"
#include "io/report/matrix_report.hpp"
#include "lapis/version.hpp"
#include "matrices.hpp"

using namespace lapis;

namespace {

bool has(const std::string& page, const std::string& text) { return page.find(text) != std::string::npos; }

int count(const std::string& page, const std::string& text) {
  int found = 0;
  for (std::size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++found;
  return found;
}

std::string inlined(const Image& picture) { return "data:image/png;base64," + io::base64(io::encode_png(picture, {})); }

}  // namespace

TEST_CASE("markup becomes text") {
  CHECK(io::escaped_html("a <b> & \"c\" 'd'") == "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  const std::string name = "<script>alert('x')</script>\" onload=\"y&z";
  core::Matrix matrix = lapis::test::sample_matrix(name);
  matrix.latents[1].model = name;
  matrix.prompt = name;
  matrix.seed = 1;
  const std::string page = io::matrix_page(matrix);
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "onload=\""));
  CHECK(has(page, "&lt;script&gt;"));
}

TEST_CASE("the page holds every picture itself, and asks for nothing") {
  const core::Matrix matrix = lapis::test::sample_matrix();
  const std::string page = io::matrix_page(matrix);
  for (const core::MatrixLatent& latent : matrix.latents) CHECK(has(page, inlined(latent.right)));
  CHECK(has(page, inlined(matrix.cell(0, 1).forced->image)));
  CHECK(has(page, inlined(matrix.cell(1, 0).converted->image)));
  CHECK(count(page, "<img ") == 5);
  CHECK(count(page, "src=") == 5);
  CHECK(count(page, "src=\"data:") == 5);
  for (const char* word : {"http:", "https:", "<script", "<link", "@import", "url("}) CHECK_FALSE(has(page, word));
}

TEST_CASE("the page says the numbers, what cannot be, and how it was made") {
  const core::Matrix matrix = lapis::test::sample_matrix();
  const std::string page = io::matrix_page(matrix);
  CHECK(has(page, core::psnr_text(matrix.cell(0, 1).forced->psnr)));
  CHECK(has(page, "<td>equal, 1.000</td>"));
  CHECK(count(page, "cannot be decoded: 16 channels into a decoder of 4") == 2);
  CHECK(has(page, "lapis matrix a.safetensors two"));
  CHECK(has(page, std::string("lapis ") + version));
  CHECK(has(page, "sd15:mine"));
  CHECK_FALSE(has(page, "<dt>seed"));
}

TEST_CASE("large pictures are shrunk") {
  const std::string page = io::matrix_page(lapis::test::sample_matrix("a", 520));
  CHECK(has(page, inlined(core::at_most(lapis::test::picture(520, 520), 512))));
  CHECK(count(page, "width=\"512\" height=\"512\"") == 5);
}
