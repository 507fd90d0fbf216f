"""What the tests share: where the project and the material beside it lie."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine takes its time; how long an example may take is not what these tests are about.
# The suite draws the same examples each time, so that it passes or fails for what was changed.
# `make random` draws new ones, many more of them, and keeps what it finds in .hypothesis/.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.register_profile("random", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests with real parts spend most of their time waiting."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with real parts wait more than they compute: they begin first, beside the others."""
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_audio() -> Path:
    """Real calls that lie beside a checkout and may not be committed."""
    folder = ROOT.parent / "shared" / "audio"
    if not folder.is_dir():
        pytest.skip("the real recordings are not beside this checkout (../shared/audio)")
    return folder
