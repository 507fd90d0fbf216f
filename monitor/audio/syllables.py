"""Syllables: loudness peaks of the vowel band, each with a dip before and after it, in voiced sound.

After N. H. de Jong & T. Wempe, "Praat script to detect syllable nuclei and measure speech rate
automatically", Behavior Research Methods 41 (2009): a nucleus is an intensity peak with dips of at
least 2 dB on both sides, near the side's usual loudness, and voiced. Here it is causal: a nucleus is
counted once the dip after it has been heard.
"""

import math

DIP_DB = 2.0
RANGE_DB = 25.0
"""A nucleus is no further than this below the loudest recent one."""
_FADING = 0.02
"""dB a frame by which the memory of the loudest nucleus fades."""


class Nuclei:
    """Finds one side's syllable nuclei, frame by frame of 20 ms."""

    def __init__(self) -> None:
        self._loudest = -math.inf
        self._rising = True
        self._peak = self._dip = -math.inf
        self._voiced = False

    def hear(self, level: float, *, voiced: bool) -> bool:
        """Whether this frame completes a nucleus; ``level`` in dB of the vowel band."""
        self._loudest -= _FADING
        if not self._rising:
            if level < self._dip:
                self._dip = level
            elif level >= self._dip + DIP_DB:
                self._rising, self._peak, self._voiced = True, level, voiced
            return False
        if level > self._peak:
            self._peak = level
            self._voiced = voiced
            return False
        if level > self._peak - DIP_DB:
            self._voiced |= voiced
            return False
        self._rising, self._dip = False, level
        return self._counts()

    def pause(self) -> bool:
        """The side fell silent: whether that completes a nucleus."""
        completed = self._rising and self._counts()
        self._rising, self._peak, self._dip, self._voiced = True, -math.inf, -math.inf, False
        return completed

    def _counts(self) -> bool:
        self._loudest = max(self._loudest, self._peak)
        return self._voiced and self._peak >= self._loudest - RANGE_DB
