"""One small phone inventory for every synthesiser, used as frame labels in training."""

from __future__ import annotations

#: A sound of a synthesiser that does not tell its phones.
UNKNOWN = -100
#: Index 0 is silence; the rest is the inventory in a fixed order.
SILENCE = 0
# fmt: off
INVENTORY = (
    "sil", "a", "A:", "E", "I", "i:", "O:", "U", "u:", "V", "@", "3:", "aI", "aU", "eI", "oU", "OI",
    "b", "d", "D", "dZ", "f", "g", "h", "j", "k", "l", "m", "n", "N", "p", "r", "s", "S", "t", "T", "tS",
    "v", "w", "z", "Z",
)
# fmt: on
INDEX = {name: i for i, name in enumerate(INVENTORY)}

#: espeak-ng's finer or accent-dependent phones, folded into the inventory.
ESPEAK_FOLD = {
    "0": "A:",
    "A@": "A:",
    "aa": "a",
    "a#": "@",
    "@2": "@",
    "@5": "@",
    "@-": "@",
    "I2": "I",
    "I#": "I",
    "i@": "I",
    "i@3": "I",
    "i": "i:",
    "O@": "O:",
    "o@": "O:",
    "O2": "O:",
    "O": "O:",
    "U@": "U",
    "3": "3:",
    "e@": "E",
    "e": "E",
    "aI3": "aI",
    "aI@": "aI",
    "aU@": "aU",
    "@L": "l",
    "l-": "l",
    "n-": "n",
    "m-": "m",
    "r-": "r",
    "t#": "t",
    "t[": "t",
    "t2": "t",
    "?": "t",
    "x": "k",
    "w#": "w",
}

#: The phone set of flite and festival (US English, "radio" names).
RADIO_FOLD = {
    "aa": "A:",
    "ae": "a",
    "ah": "V",
    "ao": "O:",
    "aw": "aU",
    "ax": "@",
    "ay": "aI",
    "ch": "tS",
    "dh": "D",
    "dx": "t",
    "eh": "E",
    "el": "l",
    "em": "m",
    "en": "n",
    "er": "3:",
    "axr": "3:",
    "ey": "eI",
    "hh": "h",
    "hv": "h",
    "ih": "I",
    "iy": "i:",
    "jh": "dZ",
    "ng": "N",
    "ow": "oU",
    "oy": "OI",
    "sh": "S",
    "th": "T",
    "uh": "U",
    "uw": "u:",
    "y": "j",
    "zh": "Z",
    "nx": "n",
}


def espeak_index(name: str) -> int:
    """Index of an espeak-ng phoneme mnemonic; pauses and unknown marks are silence."""
    return INDEX.get(ESPEAK_FOLD.get(name, name), SILENCE)


def radio_index(name: str) -> int:
    """Index of a flite or festival phone; `pau` and unknown names are silence."""
    return INDEX.get(RADIO_FOLD.get(name, name), SILENCE)
