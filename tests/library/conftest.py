"""What the tests of notes begin with; others have a `root` of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.library.shelves import put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two files of different trainings."""
    put(tmp_path / "lora", "styles/neon", 1, ss_session_id="1")
    put(tmp_path / "lora", "zorp", 2, ss_session_id="2")
    return tmp_path / "lora"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"
