"""Our errors as answers to API callers: HTTP 422 with the reason, on hosts that would only say 500 too.

AUTOMATIC1111 reads the status off the error, and prints a page of its own code to the console besides; the
Forge family answers every error with 500 and no word of what was wrong.
"""

from __future__ import annotations

from typing import Any

from lib_lora.errors import LoraStackError


def answer_errors(app: Any) -> None:
    """Answer on `app` for whatever the host's own routes raise of ours; safe to call again."""
    from fastapi.responses import JSONResponse

    async def answer(_request: Any, error: Any) -> JSONResponse:
        # The same fields as A1111's, for callers that know them.
        told = {
            "error": type(error).__name__,
            "detail": error.detail,
            "body": error.body,
            "errors": str(error),
        }
        return JSONResponse(told, status_code=error.status_code)

    app.add_exception_handler(LoraStackError, answer)
    # It may have been put together already, with the handlers known then; the next request makes it anew.
    app.middleware_stack = None
