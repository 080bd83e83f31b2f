"""`python -m demo` opens the page; `python -m demo generate …` makes one picture without it."""

from __future__ import annotations

import sys
from pathlib import Path


def main(argv: list[str]) -> int:
    """Choose the command."""
    folder = str(Path(__file__).resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if argv[:1] == ["generate"]:
        from app import generate

        return generate.main(argv[1:])
    from app import page

    return page.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
