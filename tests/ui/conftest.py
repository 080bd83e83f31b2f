"""What the tests of the routes share."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_lora.library.library import Library


@pytest.fixture
def library(folder: Path, tmp_path: Path) -> Library:
    library = Library([folder], data=tmp_path / "data")
    library.scan()
    return library
