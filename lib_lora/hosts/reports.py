"""What happened in the last run of each tab, for the line under the rows."""

from __future__ import annotations

import threading
import time
from typing import Any


class Reports:
    """The last report of every tab, numbered so that the page knows a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serial = 0
        self._last: dict[str, tuple[float, dict[str, Any]]] = {}

    def put(self, tab: str, report: dict[str, Any]) -> None:
        """Remember `report` as the newest of `tab`."""
        with self._lock:
            self._serial += 1
            self._last[tab] = time.monotonic(), {"serial": self._serial, **report}

    def last(self, tab: str) -> dict[str, Any] | None:
        """Return the newest report of `tab` with its age in seconds, or None before the first.

        By its age a page that was just opened tells whether it is of a picture made since.
        """
        with self._lock:
            found = self._last.get(tab)
        if found is None:
            return None
        made, report = found
        return {**report, "age": round(time.monotonic() - made, 3)}
