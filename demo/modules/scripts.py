"""Finds, runs and holds the scripts of extensions."""

from __future__ import annotations

import inspect
import sys
from collections import namedtuple
from pathlib import Path

from modules import errors, extensions, script_callbacks, script_loading
from modules.paths_internal import script_path
from modules.script_class import (
    AlwaysVisible,
    MaskBlendArgs,
    OnComponent,
    PostprocessBatchListArgs,
    PostprocessImageArgs,
    PostProcessMaskOverlayArgs,
    PostSampleArgs,
    Script,
    ScriptBuiltinUI,
)
from modules.script_runner import ScriptRunner, wrap_call

__all__ = [
    "AlwaysVisible",
    "MaskBlendArgs",
    "OnComponent",
    "PostProcessMaskOverlayArgs",
    "PostSampleArgs",
    "PostprocessBatchListArgs",
    "PostprocessImageArgs",
    "Script",
    "ScriptBuiltinUI",
    "ScriptRunner",
    "wrap_call",
]

ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])

scripts_data: list[ScriptClassData] = []
postprocessing_scripts_data: list[ScriptClassData] = []
current_basedir = script_path

scripts_txt2img: ScriptRunner | None = None
scripts_img2img: ScriptRunner | None = None
scripts_current: ScriptRunner | None = None


def basedir() -> str:
    """The folder of the extension whose script file is running now; else the host's own folder."""
    return current_basedir


def list_scripts(scriptdirname: str, extension: str, *, include_extensions: bool = True) -> list:
    """Script files of the host itself and of all active extensions."""
    own = extensions.Extension(name="", path=script_path).list_files(scriptdirname, extension)
    if not include_extensions:
        return own
    return own + [file for ext in extensions.active() for file in ext.list_files(scriptdirname, extension)]


def list_files_with_name(filename: str) -> list[str]:
    """Files of that name in the roots of the host and of all active extensions."""
    roots = [script_path, *(extension.path for extension in extensions.active())]
    return [str(Path(root) / filename) for root in roots if (Path(root) / filename).is_file()]


def _register(module, file) -> None:
    for item in module.__dict__.values():
        if inspect.isclass(item) and issubclass(item, Script):
            scripts_data.append(ScriptClassData(item, file.path, file.basedir, module))


def load_scripts() -> None:
    """Run every script file anew, its folder first on sys.path meanwhile; callbacks are forgotten before."""
    global current_basedir, scripts_txt2img, scripts_img2img, scripts_current
    scripts_data.clear()
    postprocessing_scripts_data.clear()
    script_callbacks.clear_callbacks()
    syspath = sys.path
    for file in list_scripts("scripts", ".py"):
        try:
            if file.basedir != script_path:
                sys.path = [file.basedir, *sys.path]
            current_basedir = file.basedir
            _register(script_loading.load_module(file.path), file)
        except Exception:
            errors.report(f"Error loading script: {file.filename}", exc_info=True)
        finally:
            sys.path = syspath
            current_basedir = script_path
    scripts_txt2img = ScriptRunner()
    scripts_img2img = ScriptRunner()
    scripts_current = None


reload_scripts = load_scripts
