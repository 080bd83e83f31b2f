"""Exceptions become JSON: those that carry a status code answer with it, all others with 500."""

from __future__ import annotations

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse
from modules import errors


def _answer(error: Exception) -> JSONResponse:
    fields = vars(error)
    content = {
        "error": type(error).__name__,
        "detail": fields.get("detail", ""),
        "body": fields.get("body", ""),
        "errors": str(error),
    }
    if not isinstance(error, HTTPException):
        errors.report(f"API error: {content}", exc_info=True)
    return JSONResponse(status_code=fields.get("status_code", 500), content=jsonable_encoder(content))


def api_middleware(app) -> None:
    """Install both nets: one for exceptions that leave a route, one for those FastAPI would answer itself."""
    # A page that was open before a restart asks at once; its first request must not close the list of nets.
    app.middleware_stack = None

    @app.middleware("http")
    async def exception_handling(request, call_next):
        try:
            return await call_next(request)
        except Exception as error:
            return _answer(error)

    @app.exception_handler(Exception)
    async def fastapi_exception_handler(request, error):
        return _answer(error)

    @app.exception_handler(HTTPException)
    async def http_exception_handler(request, error):
        return _answer(error)
