"""Checkpoints of the published architectures with seeded random weights, in the forms that people have on disk."""
