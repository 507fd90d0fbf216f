"""When the recogniser is asked, which of its words stand, and the recogniser itself."""
