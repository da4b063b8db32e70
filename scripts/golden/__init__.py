"""What scripts/golden/make.py asks other programs: one module for each kind of golden."""
