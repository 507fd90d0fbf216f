"""What the tests share: where the project and the material beside it lie."""

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine takes its time; how long an example may take is not what these tests are about.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parent.parent


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
