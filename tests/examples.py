"""How many examples a random test draws: few in the suite, many with `make random`."""

import os

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("EXAMPLES_FACTOR", "1"))


def examples(count: int, *, fixtures: bool = False) -> settings:
    """``count`` examples, times ``EXAMPLES_FACTOR``; ``fixtures`` may be shared by all of them."""
    checks = [HealthCheck.function_scoped_fixture] if fixtures else []
    return settings(max_examples=count * FACTOR, suppress_health_check=checks)
