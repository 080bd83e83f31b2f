"""A page of gradio with a login, and our routes beside it: `python -m tests.ui.login_page`, run by a test.

It prints who was let in, as JSON; one process for each version of gradio.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from fastapi import Depends
from fastapi.testclient import TestClient

from lib_lora.library.library import Library
from lib_lora.ui.address import PREFIX
from lib_lora.ui.compat import user_of
from lib_lora.ui.guards import require_login
from lib_lora.ui.routes import add_routes


class NoReports:
    """Nobody has made a picture."""

    def last(self, tab: str) -> None:
        """Return none."""


def page(auth: Any, passwords: dict[str, str]) -> TestClient:
    """Return a caller of a page with that login."""
    with gr.Blocks() as blocks:
        gr.Textbox()
    blocks.auth, blocks.auth_message = auth, None
    app = gr.routes.App.create_app(blocks)
    library = Library([])
    guard = require_login(user_of(app), passwords, page=True)
    add_routes(app, lambda: library, NoReports(), [Depends(guard)])
    return TestClient(app)


def log_in(caller: TestClient, password: str) -> int:
    """Log in as the page's own form does."""
    return caller.post("/login", data={"username": "me", "password": password}).status_code


def ask(caller: TestClient, **more: Any) -> int:
    """Ask for the list."""
    return caller.get(f"{PREFIX}/networks", **more).status_code


open_page, closed, other, api = (
    page(None, {}),
    page([("me", "secret")], {}),
    page([("me", "secret")], {}),
    page(lambda user, password: (user, password) == ("me", "secret"), {"api": "key"}),
)
told: dict[str, Any] = {"gradio": gr.__version__, "open": ask(open_page), "stranger": ask(closed)}
told["wrong password"] = (log_in(closed, "guess"), ask(closed))
told["right password"] = (log_in(closed, "secret"), ask(closed))
told["another browser"] = ask(other)
other.cookies.set("access-token", "made up")
told["made-up cookie"] = ask(other)
told["API's password"] = (ask(api), ask(api, auth=("api", "wrong")), ask(api, auth=("api", "key")))
told["login by function"] = (log_in(api, "secret"), ask(api))
print(json.dumps(told))
