"""The command line of the stand-in: the options of the WebUI the extension may read, and a few of our own."""

from __future__ import annotations

import argparse

# Set by the launcher before anything else of `modules` is imported.
argv: list[str] = []


def build_parser() -> argparse.ArgumentParser:
    """Return the parser before extensions add their own options in preload.py."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="A small stand-in for the Stable Diffusion WebUI."
    )
    add = parser.add_argument
    add("--port", type=int, default=None, help="port of the page (default: DEMO_PORT or 7860)")
    add("--listen", action="store_true", help="serve other machines too, not only this one")
    add("--checkpoint", "--ckpt", dest="ckpt", default=None, help="checkpoint to load (.safetensors)")
    add("--ckpt-dir", default=None, help="a folder with more checkpoints")
    add("--lora-dir", default=None, help="folder with LoRA files (default: demo/models/lora)")
    add("--data-dir", default=None, help="folder for settings, outputs and more extensions")
    add("--models-dir", default=None, help="folder with models (default: demo/models)")
    add("--theme", choices=["light", "dark"], default=None, help="theme of the page when the URL names none")
    add("--no-browser", action="store_true", help="do not open the page in a browser")
    add("--threads", type=int, default=0, help="CPU threads of the model (default: chosen by its size)")
    add("--no-hashing", action="store_true", help="do not compute sha256 of checkpoints")
    add("--api-auth", default=None, help="user:password for the API, several separated by commas")
    return parser
