"""The commands of `monitor`, one file each; heavy imports wait until a command runs."""
