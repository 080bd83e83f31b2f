"""The only place that knows that gradio has versions: 3.41 in AUTOMATIC1111, 4.40 in Forge."""

from __future__ import annotations

from typing import Any

import gradio as gr


def javascript(code: str, version: str = gr.__version__) -> dict[str, str]:
    """Return the keyword that hands `code` to an event listener: `_js` before gradio 4, `js` since."""
    return {"_js" if int(version.split(".")[0]) < 4 else "js": code}


def on_change(component: Any, code: str) -> None:
    """Run `code` in the browser when `component` has a new value, typed, pasted or set; no server call."""
    component.change(fn=None, inputs=None, outputs=None, **javascript(code))
