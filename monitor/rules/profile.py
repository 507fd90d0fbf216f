"""Profiles: changes to rules and their audiences, read from configs/profiles/*.yaml."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from monitor import yaml_source as places
from monitor.config import Settings
from monitor.errors import BadInput
from monitor.events import Audience, Level, severity
from monitor.resources import resource
from monitor.rules.measures import MEASURES
from monitor.rules.rule import Rule
from monitor.yaml_source import YamlPosition


class ProfileFile(Settings, frozen=True, kw_only=True):
    """The keys of a profile's file."""

    profile: str
    about: str
    like: str | None = None
    agent_voice_private: bool | None = None
    hide_agent_effort: bool | None = None
    cards_from: Level | None = None
    overrides: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class Profile:
    """A profile, including what it inherits from the profile that it is ``like``."""

    profile: str
    agent_voice_private: bool = False
    hide_agent_effort: bool = False
    cards_from: Level = "info"
    overrides: tuple[YamlPosition, ...] = ()


def load_profile(name: str) -> Profile:
    """Loads the profile with this name, or from the file at this path.

    Raises:
        BadInput: There is no such profile (the message lists them), or its file is invalid.
    """
    return _load(name, ())


def _load(name: str, through: tuple[str, ...]) -> Profile:
    path = _path(name)
    place = places.read(path)
    file = place.typed(ProfileFile)
    if file.like in (*through, name):
        circle = " -> ".join((*through, name, str(file.like)))
        raise place.part("like").wrong(f"the profiles are like each other in a circle: {circle}.")
    base = _load(file.like, (*through, name)) if file.like else Profile(name)
    own = tuple(place.part("overrides", at) for at in range(len(file.overrides)))
    return Profile(
        file.profile,
        _or(file.agent_voice_private, base.agent_voice_private),
        _or(file.hide_agent_effort, base.hide_agent_effort),
        file.cards_from or base.cards_from,
        (*base.overrides, *own),
    )


def _or(value: bool | None, base: bool) -> bool:
    return base if value is None else value


def _path(name: str) -> Path:
    folder = resource("configs/profiles")
    path = folder / f"{name}.yaml"
    if path.is_file():
        return path
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    there = ", ".join(sorted(one.stem for one in folder.glob("*.yaml")))
    raise BadInput(f"There is no profile {name!r}; there are: {there}. Or give the path of a .yaml file.")


def about_voice(rule: Rule) -> bool:
    """Whether the rule measures the agent's voice."""
    measured = [rule.measure] if rule.measure else []
    measured += [one.measure for one in (*(rule.all or ()), *(rule.any or ()))]
    for written in measured:
        for name, params in written.items():
            measure = MEASURES.get(name)
            if measure is None or (params or {}).get("by") == "caller":
                continue
            if measure.asked(measure.read(params)).voice:
                return True
    return False


def apply(rule: Rule, profile: Profile) -> Rule:
    """The rule with the changes of the profile."""
    if profile.agent_voice_private and about_voice(rule):
        only: tuple[Audience, ...] = ("agent",)
        steps = rule.escalation and [msgspec.structs.replace(step, to=only) for step in rule.escalation]
        rule = msgspec.structs.replace(rule, to=only, private=True, escalation=steps)
    if severity(_highest(rule)) < severity(profile.cards_from):
        rule = msgspec.structs.replace(rule, card="never")
    return rule


def _highest(rule: Rule) -> Level:
    levels = [rule.level, *(step.level for step in rule.escalation or () if step.level)]
    return max(levels, key=severity)
