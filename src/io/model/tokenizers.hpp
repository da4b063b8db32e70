// Tokenizers that stay for the jobs behind the one that read them.
#pragma once

#include <memory>
#include <vector>

#include "io/file/file_stamp.hpp"
#include "io/model/tokenizer_files.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Reads the files of each tokenizer once, and again where one of them changed since: every `of` looks at them (place,
/// size and times, as `stamp_of` tells them), so that a job never has what lay on the disk before it. Whether that is
/// what model.json records is for `verify_files` to say. The eight that were asked for last stay; CLIP's whole
/// vocabulary takes some 10 MB. Not safe to share between threads.
class Tokenizers {
 public:
  /// The tokenizer of `facts`. Throws as `read_tokenizer`, each time anew.
  std::shared_ptr<const PromptTokenizer> of(const TokenizerFacts& facts);

 private:
  struct Known {
    TokenizerFacts facts;
    std::vector<FileStamp> stamps;  ///< of its files, before and after they were read
    std::shared_ptr<const PromptTokenizer> tokenizer;
  };

  std::vector<Known> known_;  ///< the one that was asked for last comes last
};

}  // namespace lapis::io
