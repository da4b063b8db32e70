#include "folder.hpp"

std::filesystem::path lapis::test::folder() { return LAPIS_TESTS_DIR; }
