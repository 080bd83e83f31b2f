"""Who may ask, and who may change something: asked before any route of ours runs."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

HEADER = "X-LoRA-Stack"
BODY_LIMIT = 64 * 1024 * 1024  # bytes of a request
_READING = ("GET", "HEAD", "OPTIONS")
_QUESTIONS = ("/check", "/read", "/read-picture", "/tags/read", "/tags/write", "/interference")
"""How the paths of those requests end that are sent as changes are, being long, and change nothing."""
HOME = (".localhost", ".local", ".lan", ".home", ".internal", ".home.arpa", ".fritz.box", ".ts.net")
"""How names end that only one's own network gives."""
TUNNELS = (
    *(".gradio.live", ".gradio.app", ".hf.space", ".proxy.runpod.net", ".trycloudflare.com", ".loca.lt"),
    *(
        ".ngrok.io",
        ".ngrok.app",
        ".ngrok-free.app",
        ".ngrok.dev",
        ".ngrok-free.dev",
        ".googleusercontent.com",
    ),
    *(".colab.dev", ".paperspacegradient.com", ".kaggle.net", ".vast.ai", ".cloudspaces.litng.ai"),
)
"""How names end that lead to the tunnel's own machines, whoever asks."""


def require_same_origin(request: Request) -> None:
    """Refuse a request that changes something unless it comes from the WebUI's own page, or from a program.

    Another site's page can neither set our header without being asked first nor hide where it comes from.
    """
    if request.method in _READING:
        return
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise HTTPException(413, "The request is too large.")
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if HEADER not in request.headers:
        raise HTTPException(403, f"A request that changes something needs the header {HEADER}.")
    if site is not None:  # the browser itself says it, whatever proxies did to the host's name
        allowed = site == "same-origin"
    else:
        hosts = {request.headers.get(name, "").lower() for name in ("host", "x-forwarded-host")} - {""}
        allowed = origin is None or urlsplit(origin).netloc.lower() in hosts
    if not allowed:
        raise HTTPException(403, "This request comes from another site's page.")


def require_known_host(names: Callable[[], Iterable[str]], login: bool) -> Callable[[Request], None]:
    """Return a guard for requests that change something: the page must be reached under a name of this WebUI.

    A stranger's page can let its own name lead to this machine and is then, for the browser, of the same
    origin. An address of numbers, a name without a dot and those of `HOME` and `TUNNELS` cannot be turned
    like that; `names` are the user's own. login: a stranger's name has no cookie of ours, so nothing else is
    asked.
    """

    def guard(request: Request) -> None:
        if request.method in _READING or login or request.url.path.endswith(_QUESTIONS):
            return
        host = (urlsplit(f"//{request.headers.get('host', '')}").hostname or "").rstrip(".")
        own = {name.strip().lower().rstrip(".") for name in names()}
        if not (_is_number(host) or "." not in host or host.endswith((*HOME, *TUNNELS)) or host in own):
            raise HTTPException(
                403,
                f"This WebUI does not know itself under the name {host[:100]}. If it is yours, write it into "
                "Settings → LoRA Stack → Names of this WebUI.",
            )

    return guard


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def require_login(
    user_of: Callable[[Request], Any] | None, passwords: Mapping[str, str], page: bool
) -> Callable[[Request], None]:
    """Return a guard that lets in whom the WebUI lets in.

    user_of: gradio's answer to who asks, None where the page has no login. passwords: of the API. With a
    login, its users and the API's may ask. Without one the page is open to everybody who reaches it, and so
    is what it shows; where there is no page, the API's password is needed.
    """

    def guard(request: Request) -> None:
        if user_of is None and (page or not passwords):
            return
        if user_of is not None and user_of(request) is not None:
            return
        if not _has_password(request, passwords):
            raise HTTPException(
                401, "Log in to the WebUI first.", {"WWW-Authenticate": "Basic"} if passwords else None
            )

    return guard


def _has_password(request: Request, passwords: Mapping[str, str]) -> bool:
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        user, _, password = base64.b64decode(told, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return False
    right = passwords.get(user, "")
    return bool(right) and secrets.compare_digest(password.encode(), right.encode())


def harden(headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return headers that let a browser take an answer for what it is only, and for our page only."""
    return {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        **(headers or {}),
    }


Guards = Sequence[Any]
