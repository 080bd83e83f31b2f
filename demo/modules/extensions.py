"""Which extensions there are: the built-in ones, this repository, and the data folder's extensions/."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

from modules.paths_internal import extensions_builtin_dir, extensions_dir, repository_path

ScriptFile = namedtuple("ScriptFile", ["basedir", "filename", "path"])

extensions: list[Extension] = []


@dataclass
class Extension:
    """One extension: a folder with scripts/, javascript/, style.css."""

    name: str
    path: str
    enabled: bool = True
    is_builtin: bool = False

    @property
    def canonical_name(self) -> str:
        return self.name.lower()

    def list_files(self, subdir: str, extension: str) -> list[ScriptFile]:
        """Files directly inside a sub-folder, sorted by name."""
        folder = Path(self.path) / subdir
        if not folder.is_dir():
            return []
        return [
            ScriptFile(self.path, path.name, str(path))
            for path in sorted(folder.iterdir())
            if path.is_file() and path.suffix.lower() == extension
        ]


def folders() -> list[str]:
    """Folders of all extensions, in the order they are loaded: the built-in ones, this repository, others."""
    return [*_inside(extensions_builtin_dir), repository_path, *_inside(extensions_dir)]


def _inside(folder: str) -> list[str]:
    root = Path(folder)
    return [str(path) for path in sorted(root.iterdir()) if path.is_dir()] if root.is_dir() else []


def list_extensions() -> None:
    """Read the folders anew."""
    from modules import shared

    disabled = set(shared.opts.data.get("disabled_extensions", []))
    extensions.clear()
    for folder in folders():
        name = Path(folder).name
        is_builtin = Path(folder).parent == Path(extensions_builtin_dir)
        enabled = name not in disabled
        extensions.append(Extension(name=name, path=folder, enabled=enabled, is_builtin=is_builtin))


def active() -> list[Extension]:
    """Extensions that are switched on."""
    return [extension for extension in extensions if extension.enabled]
