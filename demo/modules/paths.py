"""The WebUI's public names for the folders."""

from modules.paths_internal import (
    data_path,
    extensions_builtin_dir,
    extensions_dir,
    models_path,
    script_path,
)

__all__ = ["data_path", "extensions_builtin_dir", "extensions_dir", "models_path", "script_path"]
