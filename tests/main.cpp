#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include "folder.hpp"

std::filesystem::path lapis::test::folder() { return LAPIS_TESTS_DIR; }
