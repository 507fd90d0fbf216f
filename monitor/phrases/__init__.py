"""Phrases: the lexicon, its patterns, and the matchers that find them in what was said."""
