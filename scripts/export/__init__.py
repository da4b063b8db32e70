"""Models, graphs and checkpoints: what turns other programs' files into lapis' own, and makes files to try that with."""
