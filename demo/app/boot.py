"""Bringing the host up, in the real one's order, with or without a page."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parents[1]


def prepare(argv: list[str]) -> None:
    """Make `modules` importable and hand it the command line; nothing heavy is imported yet."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    if str(DEMO) not in sys.path:
        sys.path.insert(0, str(DEMO))
    from modules import cmd_args

    cmd_args.argv[:] = argv


def load_extensions() -> None:
    """Find checkpoints and extensions and run the scripts."""
    from modules import extensions, extra_networks, script_callbacks, scripts, sd_checkpoints

    extensions.list_extensions()
    sd_checkpoints.list_models()
    scripts.load_scripts()
    script_callbacks.list_optimizers_callback()
    script_callbacks.list_unets_callback()
    extra_networks.initialize()
    extra_networks.register_default_extra_networks()


def unload_extensions() -> None:
    """Tell the scripts that they are about to be run anew, as Reload UI does."""
    from modules import script_callbacks

    script_callbacks.app_reload_callback()
    script_callbacks.script_unloaded_callback()


def script_runners() -> None:
    """Make the scripts' instances for a host without a page."""
    from modules import script_callbacks, scripts

    script_callbacks.before_ui_callback()
    scripts.scripts_txt2img.initialize_scripts(is_img2img=False)
    scripts.scripts_img2img.initialize_scripts(is_img2img=True)
