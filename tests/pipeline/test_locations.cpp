#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace fs = std::filesystem;
using namespace lapis::pipeline;

namespace {

/// A variable of the environment for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_.empty()) {
      unsetenv(name_);
    } else {
      setenv(name_, before_.c_str(), 1);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

/// A folder with models of these names, which hold nothing but a model.json.
class ModelsFolder {
 public:
  explicit ModelsFolder(std::initializer_list<const char*> names) {
    std::string pattern = (fs::temp_directory_path() / "lapis-locations-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    for (const char* name : names) {
      fs::create_directories(folder_ / name);
      std::ofstream(folder_ / name / "model.json") << "{}";
    }
  }
  ~ModelsFolder() { fs::remove_all(folder_); }
  ModelsFolder(const ModelsFolder&) = delete;
  ModelsFolder& operator=(const ModelsFolder&) = delete;

  const fs::path& path() const { return folder_; }

 private:
  fs::path folder_;
};

}  // namespace

TEST_CASE("models are found in the folders that LAPIS_MODELS lists, the first of two equal names") {
  const ModelsFolder first{"mine", "tiny-sd15"};
  const ModelsFolder second{"mine", "other", ".half-made"};
  const Variable variable("LAPIS_MODELS", first.path().string() + "::" + second.path().string());
  CHECK(find_model("mine") == first.path() / "mine");
  CHECK(find_model("other") == second.path() / "other");
  CHECK(find_model("tiny-sd15") == first.path() / "tiny-sd15");
  CHECK_THROWS_WITH(find_model(".half-made"), Catch::StartsWith("there is no model \".half-made\"."));
}

TEST_CASE("the user's own models lie where XDG_DATA_HOME or HOME says, and nowhere where neither does") {
  const Variable data("XDG_DATA_HOME", "/data");
  CHECK(user_models() == "/data/lapis/models");
  const Variable relative("XDG_DATA_HOME", "data");
  const Variable home("HOME", "/home/me");
  CHECK(user_models() == "/home/me/.local/share/lapis/models");
  const Variable none("HOME", "");
  CHECK(user_models().empty());
}

TEST_CASE("a name that is nearly a model's is answered with it") {
  const Variable variable("LAPIS_MODELS", "");
  CHECK_THROWS_WITH(find_model("tinysd15"), Catch::Contains("Did you mean \"tiny-sd15\"?"));
  CHECK_THROWS_WITH(find_model("sdxl"), Catch::Contains("tiny-sdxl"));
}

TEST_CASE("what is a checkpoint's name or a repository's is answered with what makes it a model") {
  CHECK_THROWS_WITH(find_model("v1-5.safetensors"), Catch::Contains("import v1-5.safetensors name v1-5"));
  CHECK_THROWS_WITH(find_model("owner/name"), Catch::Contains("hf download owner/name"));
  CHECK(find_model("./no/such/folder") == "./no/such/folder");
}

TEST_CASE("a word means a file by what is there, by its ending, or as standard input") {
  CHECK(names_file("-"));
  CHECK(names_file("a.safetensors"));
  CHECK(names_file("A.PNG"));
  CHECK_FALSE(names_file("tiny-sd15"));
  CHECK_FALSE(names_file("/tmp"));
}
