"""From a request to the list of all script arguments."""

from __future__ import annotations

import gradio as gr
from fastapi.exceptions import HTTPException
from modules import infotext_utils
from modules.gradio_extensions import without_servers


def init_default_script_args(runner) -> list:
    """Every script's defaults, read from controls built for that and thrown away: ui() runs twice more."""
    last = 1
    for script in runner.scripts:
        last = max(last, script.args_to)
    args: list = [None] * last
    args[0] = 0
    with without_servers(), gr.Blocks():
        for script in runner.scripts:
            if script.ui(script.is_img2img):
                args[script.args_from : script.args_to] = [
                    control.value for control in script.ui(script.is_img2img)
                ]
    return args


def _find(name: str, among: list):
    return next((script for script in among if script.title().lower() == name.lower()), None)


def selectable_script(name: str | None, runner):
    """(script, its number) of the request's script_name; (None, None) without one."""
    if not name:
        return None, None
    script = _find(name, runner.selectable_scripts)
    if script is None:
        raise HTTPException(status_code=422, detail=f"Script '{name}' not found")
    return script, runner.selectable_scripts.index(script)


def init_script_args(request, default_args: list, selectable, selectable_index, runner) -> list:
    """Defaults, then the infotext's, then the request's own values; surplus values are dropped."""
    args = default_args.copy()
    if request.infotext:
        infotext_utils.script_args_from_infotext(runner, args, request.infotext)
    if selectable is not None:
        args[selectable.args_from : selectable.args_to] = request.script_args
        args[0] = selectable_index + 1
    for name, own in (request.alwayson_scripts or {}).items():
        script = _find(name, runner.scripts)
        if script is None:
            raise HTTPException(status_code=422, detail=f"Script '{name}' not found")
        if script in runner.selectable_scripts:
            raise HTTPException(
                status_code=422, detail="Cannot have a selectable script in the always on scripts params"
            )
        values = own.get("args", []) if isinstance(own, dict) else []
        for index in range(min(script.args_to - script.args_from, len(values))):
            args[script.args_from + index] = values[index]
    return args
