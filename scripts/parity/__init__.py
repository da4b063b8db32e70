"""Whether lapis gives what other programs give, from the same weights and files."""
