"""Where events go: the console, a journal, the hub."""
