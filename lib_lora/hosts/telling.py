"""What is told of a picture: all its passes in one report, the faces that are drawn anew among them.

A run inside a run draws a part of the same picture. Its passes are added to those of the outer one, whose
report would else be gone, and which would be said not to have had a pass that only came later.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lib_lora.engine.report import Report, combined
from lib_lora.hosts.passes import is_inner
from lib_lora.hosts.reports import Reports
from lib_lora.hosts.request import Request
from lib_lora.hosts.sources import tab_of
from lib_lora.hosts.wearing import row_notes

REPORT_ATTRIBUTE = "lora_stack_report"


class Telling:
    """Collects what is told of the picture being made, and puts it where the page and the API look."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._picture: weakref.ref[Any] | None = None
        self._passes: tuple[tuple[str, Report], ...] = ()
        self._notes: dict[str, None] = {}

    def begin(self, p: Any) -> None:
        """Sampling begins: of a picture, or of a part of the one before."""
        if not is_inner(p):
            self._picture, self._passes, self._notes = weakref.ref(p), (), {}

    def tell(
        self, p: Any, request: Request, passes: Iterable[tuple[str, Report]], notes: Iterable[str]
    ) -> None:
        """Tell that these passes of a run were drawn."""
        self._passes += tuple(passes)
        self._notes |= dict.fromkeys((*request.notes, *notes))
        applied = combined(self._passes)
        rows = {entry.row for entry in applied.entries}
        report = replace(applied, notes=(*self._notes, *row_notes(request, rows), *applied.notes))
        for told in {id(told): told for told in (p, self._outer(p))}.values():
            setattr(told, REPORT_ATTRIBUTE, report)
        self._reports.put(self._tab(p, request), {"ok": True, "line": report.one_line(), **report.to_json()})

    def tell_failure(self, p: Any, request: Request, error: Exception) -> None:
        """Tell under the rows what is wrong."""
        self._reports.put(self._tab(p, request), {"ok": False, "line": str(error)})

    def _outer(self, p: Any) -> Any:
        """Return the object of the picture that `p` draws a part of: itself, where there is no other."""
        outer = self._picture() if is_inner(p) and self._picture is not None else None
        return p if outer is None else outer

    def _tab(self, p: Any, request: Request) -> str:
        outer = self._outer(p)
        return request.tab if outer is p else tab_of(outer)
