"""Taking time in worker processes, and judging what was taken."""
