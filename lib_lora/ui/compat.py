"""The only place that knows that gradio has versions: 3.41 in AUTOMATIC1111, 4.40 in Forge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr


def javascript(code: str, version: str = gr.__version__) -> dict[str, str]:
    """Return the keyword that hands `code` to an event listener: `_js` before gradio 4, `js` since."""
    return {"_js" if int(version.split(".")[0]) < 4 else "js": code}


def user_of(app: Any) -> Callable[[Any], Any] | None:
    """Return who tells which user a request comes from, None for nobody; None itself where there is no login.

    Both versions keep the users' cookies in `app.tokens`, by names that differ; their own question is asked.
    """
    if getattr(app, "auth", None) is None and getattr(app, "auth_dependency", None) is None:
        return None
    for route in app.router.routes:
        asks = getattr(getattr(route, "dependant", None), "dependencies", ())
        if str(getattr(route, "path", "")).rstrip("/") == "/login_check" and asks:
            question: Callable[[Any], Any] = asks[0].call
            return question
    return lambda request: None  # a login that cannot be asked lets nobody in


def is_closing(demo: Any) -> bool:
    """Return whether the page's server has been told to end, as Reload UI does; False without a page."""
    return bool(getattr(getattr(demo, "server", None), "should_exit", False))


def on_change(component: Any, code: str) -> None:
    """Run `code` in the browser when `component` has a new value, typed, pasted or set; no server call."""
    component.change(fn=None, inputs=None, outputs=None, **javascript(code))
