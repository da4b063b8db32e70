"""What holds the code itself to its rules."""
