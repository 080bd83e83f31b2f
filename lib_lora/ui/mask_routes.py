"""The panel's masks: a drawn or loaded picture is kept and gets its hash; a kept one is shown again.

    POST /lora-stack/masks          {"picture": "<base64, or a data: URL>"}
                                 -> {"hash": "3f0c9a51b2d4e687", "width": 512, "height": 768, "share": 0.31}
    GET  /lora-stack/masks/<hash>   the grey PNG

Names never come from a request: a mask is asked for by the hash of its content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Body, FastAPI, HTTPException
from fastapi.responses import FileResponse

from ..errors import MaskError
from ..library.masks import MaskStore, from_base64, read_mask
from ..stack.masks import CHARACTER_LIMIT
from .address import PREFIX
from .bodies import TextRoute
from .guards import harden

MASKS = f"{PREFIX}/masks"


def add_mask_routes(app: FastAPI, store: Callable[[], MaskStore], guard: Sequence[Any] = ()) -> None:
    """Answer on `app`, after `add_routes`, which clears what an earlier load left there.

    `store` is asked at every request, because settings may change the folder. `guard` holds FastAPI
    dependencies that every request must pass.
    """
    router = APIRouter(prefix=MASKS, dependencies=list(guard), route_class=TextRoute)

    @router.post("")
    def keep(picture: str = Body(embed=True, max_length=CHARACTER_LIMIT)) -> dict[str, Any]:
        try:
            mask = read_mask(from_base64(picture))
            digest = store().keep(mask)
        except MaskError as error:
            raise HTTPException(422, _sentence(str(error))) from None
        return {
            "hash": digest,
            "width": mask.width,
            "height": mask.height,
            "share": round(mask.share, 4),
        }

    @router.get("/{digest}")
    def show(digest: str) -> FileResponse:
        path = store().path(digest)
        if path is None:
            raise HTTPException(404, "This mask is not kept here.")
        return FileResponse(
            path, media_type="image/png", headers=harden({"Cache-Control": "private, max-age=600"})
        )

    app.include_router(router)


def _sentence(problem: str) -> str:
    """Return what is wrong as a sentence of its own; in a stack it follows the mask's name."""
    return f"The mask {problem}"
