"""What was meant: slots, repeats, open matters, and who is who."""
