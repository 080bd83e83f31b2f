"""Which extensions there are: this repository itself, and whatever lies in the data folder's extensions/."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

from modules.paths_internal import extensions_dir, repository_path

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
    """Folders of all extensions; this repository is the first."""
    found = [repository_path]
    more = Path(extensions_dir)
    if more.is_dir():
        found.extend(str(path) for path in sorted(more.iterdir()) if path.is_dir())
    return found


def list_extensions() -> None:
    """Read the folders anew."""
    from modules import shared

    disabled = set(shared.opts.data.get("disabled_extensions", []))
    extensions.clear()
    for folder in folders():
        name = Path(folder).name
        extensions.append(Extension(name=name, path=folder, enabled=name not in disabled))


def active() -> list[Extension]:
    """Extensions that are switched on."""
    return [extension for extension in extensions if extension.enabled]
