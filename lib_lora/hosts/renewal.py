"""New files under a running WebUI: its Reload UI runs scripts again, but Python keeps the packages it has.

After an update the new script would stand on old modules, and what is opened only when it is needed would be
of another version than what opened it. So the door asks here first, each time it is loaded.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

STAMPS = "stamps"
"""Under this name the package carries what its files were when it was loaded: it goes with the package."""


def stamps(house: Path) -> dict[str, tuple[int, int]]:
    """Time and size of every Python file below a folder."""
    found = {}
    for path in house.rglob("*.py"):
        facts = path.lstat()  # an editor's lock is a link that leads nowhere
        found[str(path)] = (facts.st_mtime_ns, facts.st_size)
    return found


def renew(package: str = "lib_lora") -> bool:
    """Forget the modules of a package whose files have changed since it was loaded; true if they had.

    Call it before anything else of the package is imported, when nothing of the old one acts any more: the
    host unloads scripts before it loads them again.
    """
    house = importlib.import_module(package)
    now = stamps(Path(str(house.__file__)).parent)
    if changed := getattr(house, STAMPS, now) != now:
        for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
            del sys.modules[name]
        importlib.invalidate_caches()
        house = importlib.import_module(package)
    setattr(house, STAMPS, now)
    return changed
