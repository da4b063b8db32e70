#include "engine/parts.hpp"

#include <utility>

#include "engine/stopwatch.hpp"

namespace lapis::engine {

void Parts::use(const Model& model) {
  let_go(adapter_);
  let_go(denoiser_);
  let_go(encoder_);
  let_go(decoder_);
  Parts next(placement_);
  next.model_ = model;
  next.going_ = std::move(going_);
  *this = std::move(next);
}

void Parts::load(const Model& model) {
  const Stopwatch watch;
  use(model);
  std::future<LoadedPart> decoder = std::async(
      std::launch::async, [&] { return LoadedPart(model.parts.at("vae_decoder"), "vae_decoder", placement_); });
  std::future<std::unique_ptr<Adapter>> adapter =
      std::async(std::launch::async, [&] { return make_adapter(model, placement_); });
  denoiser_.emplace(model.parts.at("denoiser"), "denoiser", placement_);
  adapter_ = adapter.get();
  decoder_.emplace(decoder.get());
  load_seconds_ = watch.seconds();
}

void Parts::expect_encoder() {
  if (encoder_ || coming_encoder_.valid()) return;
  coming_encoder_ = std::async(std::launch::async, [part = model_.parts.at("vae_encoder"), placement = placement_] {
    return LoadedPart(part, "vae_encoder", placement);
  });
}

LoadedPart& Parts::ensure(std::optional<LoadedPart>& part, const char* name, Placement placement) {
  if (!part) {
    const Stopwatch watch;
    part.emplace(model_.parts.at(name), name, placement);
    load_seconds_ += watch.seconds();
  }
  return *part;
}

Adapter& Parts::adapter() {
  if (!adapter_) {
    const Stopwatch watch;
    adapter_ = make_adapter(model_, placement_);
    load_seconds_ += watch.seconds();
  }
  return *adapter_;
}

LoadedPart& Parts::denoiser() { return ensure(denoiser_, "denoiser", placement_); }

LoadedPart& Parts::decoder() { return ensure(decoder_, "vae_decoder", placement_); }

LoadedPart& Parts::encoder() {
  if (!encoder_ && coming_encoder_.valid()) {
    const Stopwatch watch;
    encoder_.emplace(coming_encoder_.get());
    load_seconds_ += watch.seconds();
  }
  return ensure(encoder_, "vae_encoder", placement_);
}

LoadedPart& Parts::encoder_in_fp32() {
  release_encoder();
  return ensure(encoder_, "vae_encoder", {placement_.device, at::kFloat});
}

LoadedPart& Parts::decoder_in_fp32() {
  gone_.vae_decoder += decoder_ ? decoder_->seconds() : 0;
  decoder_.reset();
  return ensure(decoder_, "vae_decoder", {placement_.device, at::kFloat});
}

void Parts::release_adapter() {
  if (!adapter_) return;
  gone_.text_encoder += adapter_->seconds();
  let_go(adapter_);
}

void Parts::release_denoiser() {
  if (!denoiser_) return;
  gone_.denoiser += denoiser_->seconds();
  let_go(denoiser_);
}

void Parts::release_encoder() {
  if (!encoder_) return;
  gone_.vae_encoder += encoder_->seconds();
  let_go(encoder_);
}

Timings Parts::module_seconds() const {
  Timings timings = gone_;
  if (adapter_) timings.text_encoder += adapter_->seconds();
  if (denoiser_) timings.denoiser += denoiser_->seconds();
  if (encoder_) timings.vae_encoder += encoder_->seconds();
  if (decoder_) timings.vae_decoder += decoder_->seconds();
  return timings;
}

double Parts::take_load_seconds() { return std::exchange(load_seconds_, 0.0); }

}  // namespace lapis::engine
