"""What happened in the last run of each tab, for the line under the rows."""

from __future__ import annotations

import threading
from typing import Any


class Reports:
    """The last report of every tab, numbered so that the page knows a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serial = 0
        self._last: dict[str, dict[str, Any]] = {}

    def put(self, tab: str, report: dict[str, Any]) -> None:
        """Remember `report` as the newest of `tab`."""
        with self._lock:
            self._serial += 1
            self._last[tab] = {"serial": self._serial, **report}

    def last(self, tab: str) -> dict[str, Any] | None:
        """Return the newest report of `tab`, or None before the first."""
        with self._lock:
            return self._last.get(tab)
