"""Rules: their file format, checks, conditions, measures and profiles."""
