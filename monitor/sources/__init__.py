"""Where sound comes from: files, devices, journals."""
