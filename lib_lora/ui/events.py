"""How far long work is, and what changed: asked once, or told as server-sent events to who listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from ..library.library import Library
from .ports import LibraryPorts

EVERY = 0.25  # seconds between looks
ALIVE = 15.0  # seconds between signs of life, so that proxies keep the connection
LISTENERS = 32  # at the same time


def status_of(library: Library) -> dict[str, Any]:
    """Return how far scanning and hashing are."""
    scan = library.scanning.status()
    return {
        "generation": library.edition,
        "scan": {**scan, "problems": list(library.problems())},
        "hash": library.hashing.status(),
    }


def add_event_routes(router: APIRouter, ports: LibraryPorts) -> None:
    """Add the two routes."""
    listeners = [0]

    @router.get("/status")
    def status() -> dict[str, Any]:
        return status_of(ports.watch())

    @router.get("/events")
    async def events(request: Request) -> StreamingResponse:
        if listeners[0] >= LISTENERS:
            raise HTTPException(503, "Too many pages listen already. Close some of them.")

        async def stream() -> AsyncIterator[str]:
            listeners[0] += 1
            try:
                async for text in follow(ports, request.is_disconnected):
                    yield text
            finally:
                listeners[0] -= 1

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


async def follow(ports: LibraryPorts, is_gone: Any, every: float = EVERY) -> AsyncIterator[str]:
    """Yield an event at once and at every change, until the listener `is_gone` or the server closes.

    Reload UI closes the server and waits for its answers to end, so this one must not wait for the listener.
    """
    before: dict[str, Any] = {}
    serial, quiet = -1, 0.0
    while not ports.closing() and not await is_gone():
        told, serial, files = await run_in_threadpool(_look, ports, serial)
        if told != before:
            yield _event("status", told)
            if before and told["generation"] != before["generation"]:
                yield _event("changed", {"generation": told["generation"]})
            before, quiet = told, 0.0
        for file in files:
            yield _event("file", file)
        if quiet >= ALIVE:
            yield ": still here\n\n"
            quiet = 0.0
        await asyncio.sleep(every)
        quiet += every


def _look(ports: LibraryPorts, serial: int) -> tuple[dict[str, Any], int, list[dict[str, str]]]:
    library = ports.watch()
    last, files = library.changes.since(serial)
    return status_of(library), last, files if serial >= 0 else []


def _event(name: str, value: object) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"
