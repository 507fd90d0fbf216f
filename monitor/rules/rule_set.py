"""Loads rules from configs/rules/*.yaml, checks them, and applies overrides and the profile."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from monitor import yaml_source as places
from monitor.dialogue.tracker import KINDS
from monitor.errors import BadInput
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.phrase_files import YAML, phrase_files
from monitor.resources import resource
from monitor.rules.check import check, refuse_renamed
from monitor.rules.profile import apply, load_profile
from monitor.rules.rule import Rule, milliseconds
from monitor.timeline import CALL, seconds
from monitor.yaml_source import YamlPosition

HASH_DIGITS = 12


@dataclass(frozen=True)
class RuleSet:
    """A loaded set of rules. ``hash`` identifies its content, ``sources`` is where each rule was defined."""

    rules: tuple[Rule, ...]
    profile: str = "default"
    language: str = "en"
    hide_agent_effort: bool = False
    sources: dict[str, YamlPosition] = field(default_factory=dict, compare=False)
    phrases: tuple[Path, ...] = ()
    """Folders of phrases whose classes replace the bundled ones."""

    @classmethod
    def load(cls, *paths: str | Path, profile: str = "default", language: str = "en") -> "RuleSet":
        """Loads the rules in files or folders, by default the bundled ones; see ``load_rules``.

        Raises:
            BadInput: A rule, a phrase or the profile is wrong; the message names file, line and key.
        """
        return load_rules([Path(path) for path in paths], profile=profile, language=language)

    @property
    def hash(self) -> str:
        """The hash of all rules in the set, and of the phrases loaded with them."""
        files = [file for folder in self.phrases for file in phrase_files(folder)]
        own = [sha256(file.read_bytes()).hexdigest() for file in files]
        return _digest([hash_of(rule) for rule in self.rules] + own)

    @property
    def lexicon(self) -> Lexicon:
        """The lexicon of the rule set's language."""
        return Lexicon.load(self.language, self.phrases)

    @property
    def longest(self) -> float:
        """The longest window of any rule, in seconds."""
        windows = [milliseconds(rule.window) for rule in self.rules if rule.window is not None]
        return seconds(max((one for one in windows if one < CALL), default=0))

    def rule(self, name: str) -> Rule | None:
        """The rule with this id, if there is one."""
        return next((rule for rule in self.rules if rule.rule == name), None)


def _digest(plain: Any) -> str:
    return sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:HASH_DIGITS]


@lru_cache(maxsize=1024)
def _hash_of(text: bytes) -> str:
    return sha256(text).hexdigest()[:HASH_DIGITS]


def hash_of(rule: Rule) -> str:
    """The hash of a rule's normalised content without its tests."""
    plain = msgspec.to_builtins(rule)
    del plain["tests"]
    return _hash_of(msgspec.json.encode(plain, order="sorted"))


def load_rules(
    paths: Sequence[Path] | None = None, *, profile: str = "default", language: str = "en"
) -> RuleSet:
    """Loads the rules of ``paths`` (files or folders of files), by default the bundled ones.

    If a file contains overrides, the bundled rules are loaded, too, except those that ``paths`` define again;
    likewise for a folder that contains only phrases (``phrases/LANGUAGE/``).

    Raises:
        BadInput: A rule is invalid; the message names file, line, key path and what was expected.
    """
    files = _files(paths) if paths else _files([resource("configs/rules")])
    entries = [entry for path in files for entry in _entries(path)]
    own = tuple(place for path in paths or () if (place := path / PHRASES / language).is_dir())
    if not (entries or own):
        told = ", ".join(str(path) for path in paths or ())
        raise BadInput(f"There are no rules in {told}; a rule begins with `- rule: its.id`.")
    laid_over = any(isinstance(entry.plain, dict) and "override" in entry.plain for entry in entries)
    if paths and (laid_over or not entries):
        named = {entry.plain.get("rule") for entry in entries if isinstance(entry.plain, dict)}
        bundled = [entry for path in _files([resource("configs/rules")]) for entry in _entries(path)]
        entries = [entry for entry in bundled if entry.plain.get("rule") not in named] + entries
    chosen = load_profile(profile)
    rules, sources = _merged([*entries, *chosen.overrides])
    classes = Lexicon.load(language, own).classes | KINDS.keys()
    typed = [check(place, classes) for place in rules]
    applied = tuple(apply(rule, chosen) for rule in typed)
    return RuleSet(applied, chosen.profile, language, chosen.hide_agent_effort, sources, own)


PHRASES = "phrases"
"""The folder within a folder of rules that holds phrases, by language."""


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            raise BadInput(f"The folder {path} cannot be read; check who may read it.")
        found += _rules_in(path) if path.is_dir() else [path]
    return found


def _rules_in(folder: Path) -> list[Path]:
    files = (one for one in folder.rglob("*.y*ml") if one.suffix in YAML)
    return sorted(one for one in files if not one.is_relative_to(folder / PHRASES))


def _entries(path: Path) -> list[YamlPosition]:
    place = places.read(path)
    if place.plain is None:
        return []
    if not isinstance(place.plain, list):
        raise place.wrong("a list of rules was expected; each begins with `- rule: its.id`.")
    return [place.part(number) for number in range(len(place.plain))]


def _merged(entries: list[YamlPosition]) -> tuple[list[YamlPosition], dict[str, YamlPosition]]:
    """Applies overrides to the rules; returns the rules in the order of their definition, and by id."""
    rules: dict[str, YamlPosition] = {}
    for entry in entries:
        plain = entry.plain
        if not isinstance(plain, dict) or ("rule" in plain) == ("override" in plain):
            raise entry.wrong(
                "a rule was expected: keys and values, with either `rule:` or `override:` and an id."
            )
        refuse_renamed(entry)
        if "rule" in plain:
            name = str(plain["rule"])
            if name in rules:
                raise entry.wrong(
                    f"the rule {name} already stands in {rules[name].where}; use `override:` to change it."
                )
            rules[name] = entry
            continue
        name = str(plain["override"])
        if name not in rules:
            raise entry.part("override").wrong(
                f"there is no rule {name} to override in the files before this one{places.meant(name, rules)}"
            )
        rules[name] = rules[name].overlaid(
            {key: value for key, value in plain.items() if key != "override"}, entry
        )
    return [_like(name, rules, ()) for name in rules], rules


OWN = ("title", "row", "tests")
"""Keys that a rule does not inherit through ``like``."""


def _like(name: str, rules: dict[str, YamlPosition], through: tuple[str, ...]) -> YamlPosition:
    """A rule with the keys that it inherits from the rule that it is ``like``."""
    place = rules[name]
    model = place.plain.get("like")
    if model is None:
        return place
    if model in (*through, name):
        circle = " -> ".join((*through, name, str(model)))
        raise place.part("like").wrong(f"the rules are like each other in a circle: {circle}.")
    if model not in rules:
        raise place.part("like").wrong(f"there is no rule {model} to be like.")
    base = _like(str(model), rules, (*through, name))
    kept = {key: value for key, value in base.plain.items() if key not in place.plain and key not in OWN}
    own = {key: value for key, value in place.plain.items() if key != "like"}
    return place.replaced({**kept, **own})
