"""Profiles decide who may see what."""

import pytest

from monitor.errors import BadInput
from monitor.rules.profile import about_voice, load_profile
from monitor.rules.rule_set import load_rules


def test_under_eu_rules_alerts_on_the_agents_voice_are_the_agents_own():
    default, eu = load_rules(), load_rules(profile="eu")
    voice = [rule for rule in eu.rules if about_voice(rule)]
    assert {rule.rule for rule in voice} >= {
        "agent.raised_voice",
        "spiral.mirroring",
        "agent.flat_tone",
        "agent.too_fast",
        "close.rushing",
    }
    for rule in voice:
        assert rule.private
        assert rule.to == ("agent",)
        assert all(step.to in (None, ("agent",)) for step in rule.escalation or ())
    assert eu.hide_agent_effort
    assert not default.hide_agent_effort
    assert eu.hash != default.hash


def test_under_eu_rules_the_callers_voice_may_be_seen():
    assert load_rules(profile="eu").rule("vent.hold").private is False


def test_quiet_keeps_the_alerts_and_drops_the_cards():
    quiet = load_rules(profile="quiet")
    assert quiet.rule("talk.share").card == "never"
    assert quiet.rule("agent.disrespect").card == "auto"


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(BadInput, match=r"no profile 'night'; there are: default, eu, quiet"):
        load_profile("night")


def test_a_profile_may_be_like_another_and_override_rules(tmp_path):
    path = tmp_path / "team.yaml"
    path.write_text(
        "profile: team\nabout: Ours.\nlike: eu\noverrides:\n  - {override: talk.share, more_than: 75%}\n"
    )
    book = load_rules(profile=str(path))
    assert book.profile == "team"
    assert book.hide_agent_effort
    assert book.rule("talk.share").more_than == "75%"


def test_profiles_in_a_circle_are_refused(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(f"profile: a\nabout: Round.\nlike: {path}\n")
    with pytest.raises(BadInput, match="in a circle"):
        load_profile(str(path))


def test_a_profile_with_a_level_that_is_none_names_the_levels(tmp_path):
    path = tmp_path / "night.yaml"
    path.write_text("profile: night\nabout: Only at night.\ncards_from: warning\n")
    with pytest.raises(BadInput, match=r"one of info, warn, critical was expected.*did you mean warn\?"):
        load_profile(str(path))
