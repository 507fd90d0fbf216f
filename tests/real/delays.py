"""By how much a sound comes late in another one, stretch by stretch."""

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE = 8000
STRETCH = 0.25
"""Seconds that are laid over the other sound at once."""
AROUND = 0.25
"""Seconds by which a stretch may lie off the rest."""
LOUD = 10 ** (-38 / 10)
"""The mean square of a stretch that can be found again."""
ALIKE = 0.6
"""A side that is off is read up to 0.5 % faster or slower than it came, which a stretch shows."""
NEARLY = 0.1
"""A voice is like itself a pitch period later: of places that are nearly as alike, the nearest is taken."""


class NotThere(AssertionError):
    """A stretch that was said is not in what was heard."""


def delays(said: Sound, heard: Sound) -> NDArray[np.float64]:
    """Seconds by which each loud stretch of ``said`` [n, 1] comes later in ``heard``, both at 8 kHz.

    Raises ``NotThere``.
    """
    one, two = said[:, 0], heard[:, 0]
    whole = _best(one, two)
    size, around = round(STRETCH * RATE), round(AROUND * RATE)
    late = []
    for at in range(0, one.size - size, size):
        stretch = one[at : at + size]
        first = at + whole - around
        if np.mean(np.square(stretch)) < LOUD or first < 0 or first + size + 2 * around > two.size:
            continue
        window = two[first : first + size + 2 * around]
        match = np.correlate(window, stretch, "valid")
        energy = np.convolve(np.square(window), np.ones(size), "valid")
        alike = match / np.sqrt(energy * np.sum(np.square(stretch)) + 1e-12)
        if alike.max() < ALIKE:
            raise NotThere(f"what was said at {at / RATE:.1f} s is not there: {alike.max():.2f}")
        last = round(late[-1] * RATE) - whole + around if late else int(alike.argmax())
        places = np.flatnonzero(alike >= alike.max() - NEARLY)
        late.append((whole + int(places[np.abs(places - last).argmin()]) - around) / RATE)
    if len(late) < 5:
        raise NotThere("too little of what was said is there")
    return np.array(late)


def _best(one: Sound, two: Sound) -> int:
    """The delay in samples at which all of ``one`` fits best."""
    size = 1 << (one.size + two.size).bit_length()
    match = np.fft.irfft(np.fft.rfft(two, size) * np.fft.rfft(one, size).conj(), size)
    place = int(match.argmax())
    return place if place < two.size else place - size
