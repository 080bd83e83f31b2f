"""What the panel asks besides files and masks: reading stacks from anywhere, prompt tags, presets.

    POST /lora-stack/read           {"text"}          -> {"stack"}   a stack text, parameters, tags
    POST /lora-stack/read-picture   the file's bytes  -> {"stack"}
    POST /lora-stack/tags/read      {"prompt"}        -> {"prompt", "stack"}
    POST /lora-stack/tags/write     {"stack"}         -> {"rows": [{"tag", "problem"}]}
    GET  /lora-stack/presets                          -> {"presets": [{"name", "stack"}], "problems"}
    POST /lora-stack/presets        {"name", "stack"} -> {"name", "replaced"}   the stack that stood there
    POST /lora-stack/presets/rename {"name", "to"}
    POST /lora-stack/presets/delete {"name"}

What cannot be done is answered with 422 and the reason. Presets are named in the request and never a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from ..errors import AmbiguousNetworkError, EntryValueError, LoraStackError
from ..files.pictures import BYTE_LIMIT, read_parameters
from ..stack.entry import Entry
from ..stack.prompt import take_tags, write_tags
from ..stack.reading import read_text
from ..stack.serialization import decode, encode
from ..stack.stack import Stack
from .address import PREFIX
from .bodies import TextRoute
from .guards import require_same_origin
from .routes import STACK_LIMIT

NAME_LIMIT = 1000  # characters in a request; the presets' own limit is told in words


class PresetShelf(Protocol):
    """Who keeps stacks under names."""

    def all(self) -> tuple[Sequence[Any], Sequence[str]]: ...
    def save(self, name: str, stack: str) -> Any: ...
    def rename(self, name: str, to: str) -> None: ...
    def delete(self, name: str) -> None: ...


def bare_name(network: str) -> str:
    """Return the name of a row's file as the WebUI's own Lora knows it: without folders."""
    return network.rpartition("/")[2]


def add_panel_routes(
    app: FastAPI,
    presets: Callable[[], PresetShelf],
    guard: Sequence[Any] = (),
    tag_name: Callable[[str], str] = bare_name,
) -> None:
    """Answer on `app`, after `add_routes`, which clears what an earlier load left there.

    `presets` is asked at every request. `guard` holds FastAPI dependencies that every request must pass.
    `tag_name` tells how a tag calls a row's file, and raises where no tag can.
    """
    router = APIRouter(
        prefix=PREFIX, dependencies=[Depends(require_same_origin), *guard], route_class=TextRoute
    )

    @router.post("/read")
    def read(text: str = Body(embed=True, max_length=STACK_LIMIT)) -> dict[str, str]:
        with _answered():
            return {"stack": read_text(text)}

    @router.post("/read-picture")
    async def read_picture(request: Request) -> dict[str, str]:
        size = request.headers.get("content-length", "")
        if not size.isdecimal() or int(size) > BYTE_LIMIT:
            raise HTTPException(413, f"A picture may have up to {BYTE_LIMIT // 1024**2} MB.")
        data = await request.body()
        with _answered():
            return {"stack": await run_in_threadpool(lambda: read_text(read_parameters(data)))}

    @router.post("/tags/read")
    def tags_to_rows(prompt: str = Body(embed=True, max_length=STACK_LIMIT)) -> dict[str, str]:
        with _answered():
            rest, entries = take_tags(prompt)
            return {"prompt": rest, "stack": encode(Stack(entries))}

    @router.post("/tags/write")
    def rows_to_tags(stack: str = Body(embed=True, max_length=STACK_LIMIT)) -> dict[str, Any]:
        with _answered():
            return {"rows": [_tag(entry, tag_name) for entry in decode(stack).entries]}

    @router.get("/presets")
    def all_presets() -> dict[str, Any]:
        found, problems = presets().all()
        listed = [{"name": preset.name, "stack": preset.stack} for preset in found]
        return {"presets": listed, "problems": list(problems)}

    @router.post("/presets")
    def save(
        name: str = Body(max_length=NAME_LIMIT), stack: str = Body(max_length=STACK_LIMIT)
    ) -> dict[str, str]:
        with _answered():
            before = {preset.name: preset.stack for preset in presets().all()[0]}
            kept = presets().save(name, stack).name
            return {"name": kept, "replaced": before.get(kept, "")}

    @router.post("/presets/rename")
    def rename(
        name: str = Body(max_length=NAME_LIMIT), to: str = Body(max_length=NAME_LIMIT)
    ) -> dict[str, str]:
        with _answered():
            presets().rename(name, to)
        return {"name": to}

    @router.post("/presets/delete")
    def delete(name: str = Body(embed=True, max_length=NAME_LIMIT)) -> dict[str, str]:
        with _answered():
            presets().delete(name)
        return {"name": name}

    app.include_router(router)


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except LoraStackError as error:
        raise HTTPException(error.status_code, str(error)) from None


def _tag(entry: Entry, tag_name: Callable[[str], str]) -> dict[str, str]:
    """Return a row's tag, or why it has none; a row that is off has neither."""
    try:
        tag = write_tags(Stack((entry,)), lambda row: tag_name(row.network))
    except (EntryValueError, AmbiguousNetworkError) as error:
        return {"tag": "", "problem": str(error).replace("row 1 (", "(", 1)}
    return {"tag": tag, "problem": ""}
