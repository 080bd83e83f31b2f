"""Running the Python files of extensions as the WebUI does: by path, under the file's own name."""

from __future__ import annotations

import importlib.util
from argparse import ArgumentParser
from pathlib import Path
from types import ModuleType

from modules import errors

loaded_scripts: dict[str, ModuleType] = {}


def load_module(path: str) -> ModuleType:
    """Execute a file. Its `__name__` is e.g. "xyz_grid.py" and it does not enter `sys.modules`."""
    spec = importlib.util.spec_from_file_location(Path(path).name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded_scripts[path] = module
    return module


def preload_extensions(folders: list[str], parser: ArgumentParser) -> None:
    """Let the preload.py of each folder add command line options; failures are reported, never fatal."""
    for folder in folders:
        preload = Path(folder) / "preload.py"
        if not preload.is_file():
            continue
        try:
            module = load_module(str(preload))
            if hasattr(module, "preload"):
                module.preload(parser)
        except Exception:
            errors.report(f"Error running preload() for {preload}", exc_info=True)
