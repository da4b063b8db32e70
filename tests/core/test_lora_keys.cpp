#include <catch2/catch.hpp>
#include <string>

#include "core/checkpoint/lora_keys.hpp"

using namespace lapis::core;

TEST_CASE("every trainer's endings are read") {
  const auto key = [](const std::string& name) { return read_lora_key(name).value_or(LoraKey{"", "none"}); };
  CHECK(key("lora_unet_mid.lora_down.weight") == LoraKey{"lora_unet_mid", "down"});
  CHECK(key("lora_unet_mid.lora_mid.weight") == LoraKey{"lora_unet_mid", "mid"});
  CHECK(key("lora_unet_mid.alpha") == LoraKey{"lora_unet_mid", "alpha"});
  CHECK(key("lora_unet_mid.dora_scale") == LoraKey{"lora_unet_mid", "dora_scale"});
  CHECK(key("unet.a.to_q.lora_B.weight") == LoraKey{"unet.a.to_q", "up"});
  CHECK(key("a.to_q.lora_A.default_0.weight") == LoraKey{"a.to_q", "down"});
  CHECK(key("a.to_q.lora_magnitude_vector") == LoraKey{"a.to_q", "magnitude"});
  CHECK(key("a.to_q.lora_magnitude_vector.default.weight") == LoraKey{"a.to_q", "magnitude"});
  CHECK(key("unet.a.processor.to_q_lora.up.weight") == LoraKey{"unet.a.processor.to_q", "up"});
  CHECK(key("te.mlp.fc1.lora_linear_layer.down.weight") == LoraKey{"te.mlp.fc1", "down"});
  CHECK(key("d.0.processor.qkv_lora2.down.weight") == LoraKey{"d.0.processor.qkv_lora2", "down"});
  CHECK(key("d.0.processor.qkv_lora.down.weight") == LoraKey{"d.0.processor.qkv", "down"});
  CHECK(key("m.lokr_w1") == LoraKey{"m", "lokr_w1"});
  CHECK(key("m.lokr_w1_a") == LoraKey{"m", "lokr_w1_a"});
  CHECK(key("m.hada_t2") == LoraKey{"m", "hada_t2"});
  CHECK(key("m.diff_b") == LoraKey{"m", "diff_b"});
  CHECK(key("m.w_norm") == LoraKey{"m", "diff"});
  CHECK(key("m.b_norm") == LoraKey{"m", "diff_b"});
  CHECK(key("a.to_q.lora_B.bias") == LoraKey{"a.to_q", "up_bias"});
  CHECK(key("a.to_q.lora_B.default_0.bias") == LoraKey{"a.to_q", "up_bias"});
  CHECK(key("lora_unet_mid.lora_up.bias") == LoraKey{"lora_unet_mid", "up_bias"});
}

TEST_CASE("other names are no LoRA's") {
  for (const char* name :
       {"mid_block.conv.weight", ".alpha", "alpha", "m.lora_A.a.b.weight", "m.lora_down", "", "m.hada_w1_c",
        "m.oft_blocks", "m.on_input", "m.lora_A.bias", "m.hada_w1_a.bias", "m.lora_embedding_A"}) {
    INFO(name);
    CHECK_FALSE(read_lora_key(name).has_value());
  }
}

TEST_CASE("old names of modules become today's") {
  CHECK(modern_module("a.attn1.processor.to_q") == "a.attn1.to_q");
  CHECK(modern_module("a.attn1.processor.to_out") == "a.attn1.to_out.0");
  CHECK(modern_module("l.0.self_attn.to_out") == "l.0.self_attn.out_proj");
  CHECK(modern_module("double_blocks.0.processor.proj_lora2") == "double_blocks.0.txt_attn.proj");
  CHECK(modern_module("a.attn1.to_out.0") == "a.attn1.to_out.0");
}

TEST_CASE("the more particular prefix comes first, and the empty one last") {
  const auto rows = lora_prefixes();
  CHECK(rows.back().prefix.empty());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = i + 1; k < rows.size(); ++k) {
      INFO(rows[i].prefix << " hides " << rows[k].prefix);
      CHECK_FALSE(rows[k].prefix.starts_with(rows[i].prefix));
    }
  }
}
