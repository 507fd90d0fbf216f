"""Phrase spotting: the lexicon, its patterns, and the matchers that find phrases in recognised words."""
