"""Named stacks, one small file each in the extension's data folder; every write replaces a file whole.

The file's name is made from the preset's and says nothing; the name itself stands inside. A file that cannot
be read is left alone and told of, never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import NotWrittenError, PresetError, nearest
from ..files.text import readable
from ..files.writing import write_atomically
from ..stack.frozen import checked_text
from ..stack.serialization import CHARACTER_LIMIT, decode, encode

NAME_LIMIT = 120
COUNT_LIMIT = 5000
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError)


@dataclass(frozen=True)
class Preset:
    """A stack text under a name."""

    name: str
    stack: str


class Presets:
    """All presets of a folder, which is made when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> tuple[tuple[Preset, ...], tuple[str, ...]]:
        """Return the presets by name, and what is wrong with files that cannot be read."""
        found, problems = [], []
        try:
            files = self._files()
        except OSError as error:
            return (), (f"The folder {readable(self._folder)} cannot be read: {error.strerror}.",)
        for path in files:
            try:
                found.append(_read(path))
            except _UNREADABLE as error:
                problems.append(
                    f"The preset file {readable(path)} cannot be read ({error}). Mend it, or move it away."
                )
        return tuple(sorted(found, key=lambda preset: (preset.name.casefold(), preset.name))), tuple(problems)

    def save(self, name: str, stack: str) -> Preset:
        """Keep a stack text under a name, in place of what stood there; raises PresetError, StackError."""
        preset = Preset(_checked_name(name), encode(decode(stack)))
        if self._find(preset.name) is None and len(self.all()[0]) >= COUNT_LIMIT:
            raise PresetError(f"There are {COUNT_LIMIT} presets already. Delete some first.")
        self._write(preset)
        return preset

    def rename(self, name: str, to: str) -> None:
        """Give a preset another name; raises PresetError where that name is taken."""
        preset, wanted = self.find(name), _checked_name(to)
        if wanted == preset.name:
            return
        if self._find(wanted) is not None:
            raise PresetError(
                f"There is a preset '{wanted}' already. Choose another name, or delete that one."
            )
        self._write(Preset(wanted, preset.stack))
        self._remove(preset.name)

    def delete(self, name: str) -> None:
        """Remove a preset; raises PresetError where there is none of that name."""
        self._remove(self.find(name).name)

    def find(self, name: str) -> Preset:
        """Return a preset by its name; raises PresetError with the nearest names where there is none."""
        found = self._find(_checked_name(name))
        if found is None:
            hint = nearest(name, [preset.name for preset in self.all()[0]])
            raise PresetError(f"There is no preset '{name[:80]}'.{hint}")
        return found

    def _find(self, name: str) -> Preset | None:
        preset = _read_or_none(self._path(name))
        return preset if preset is not None and preset.name == name else None

    def _path(self, name: str) -> Path:
        """Return the file of a preset, or where one of that name is to be written."""
        made = self._made_path(name)
        if os.path.exists(made):  # noqa: PTH110  it never raises
            return made
        listed: list[Path] = []
        with suppress(OSError):
            listed = self._files()
        return next((path for path in listed if getattr(_read_or_none(path), "name", None) == name), made)

    def _files(self) -> list[Path]:
        """Return all files that may be presets; none where there is no folder. Raises OSError."""
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix.lower() == ".json")
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _made_path(self, name: str) -> Path:
        """Return a name that every file system takes: some letters to recognise it by, and a digest."""
        letters = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40]
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self._folder / f"{letters or 'preset'}-{digest}.json"

    def _write(self, preset: Preset) -> None:
        path = self._path(preset.name)
        if os.path.exists(path) and self._find(preset.name) is None:  # noqa: PTH110
            raise PresetError(
                f"{readable(path)} is no preset of that name that can be read. Move it away, then save again."
            )
        text = json.dumps(
            {"name": preset.name, "stack": json.loads(preset.stack)}, ensure_ascii=False, indent=1
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda file: file.write(text.encode("utf-8")))
        except (OSError, NotWrittenError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            raise PresetError(
                f"The preset cannot be kept in {self._folder}: {getattr(cause, 'strerror', cause)}. "
                "Make room, or allow writing there."
            ) from error

    def _remove(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise PresetError(
                f"The preset cannot be removed from {self._folder}: {error.strerror}. Allow writing there."
            ) from error


def _read_or_none(path: Path) -> Preset | None:
    try:
        return _read(path)
    except _UNREADABLE:
        return None


def _read(path: Path) -> Preset:
    if path.stat().st_size > CHARACTER_LIMIT * 4:
        raise ValueError("it is too large")
    document = json.loads(path.read_text(encoding="utf-8-sig"))
    name, stack = document["name"], document["stack"]
    if not isinstance(name, str) or not isinstance(stack, dict):
        raise ValueError("it is no preset")
    preset = Preset(name, json.dumps(stack, ensure_ascii=False, separators=(",", ":")))
    try:
        f"{preset.name}{preset.stack}".encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a character") from None
    return preset


def _checked_name(name: str) -> str:
    wanted = unicodedata.normalize("NFC", name).strip()
    if not wanted:
        raise PresetError("The preset needs a name. Type one, then save again.")
    if len(wanted) > NAME_LIMIT:
        raise PresetError(f"The name has {len(wanted)} characters; the most is {NAME_LIMIT}.")
    try:
        return checked_text(wanted)
    except ValueError as error:
        raise PresetError(f"The name {error}. Choose another one.") from None
