"""How long lapis takes and how much memory, beside other programs."""
