"""Run the tests of the panel's scripts with the machine's node, or with the one that Playwright brings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
OLDEST = 20  # the first node whose test runner can play with time


def find_node() -> str | None:
    """Return a node that is new enough, or None."""
    known = [shutil.which("node")]
    try:
        from playwright._impl._driver import compute_driver_executable

        known.append(str(compute_driver_executable()[0]))
    except ImportError:
        pass
    return next((node for node in known if node and _version(node) >= OLDEST), None)


def _version(node: str) -> int:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = told.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def main() -> int:
    """Run every `*.test.mjs` beside this file; the exit status is node's."""
    node = find_node()
    if node is None:
        print(
            "No node 20 or newer. Install one, or `pip install playwright`, which brings its own.",
            file=sys.stderr,
        )
        return 1
    tests = sorted(str(path) for path in FOLDER.glob("*.test.mjs"))
    return subprocess.run([node, "--test", *tests], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
