"""What make_golden.py asks other programs: one module for each kind of golden."""
