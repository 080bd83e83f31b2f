"""The checkpoints that can be chosen."""

from __future__ import annotations

import difflib
from pathlib import Path

from modules import hashes
from modules.paths_internal import models_path

model_path = str(Path(models_path) / "checkpoint")
checkpoints_list: dict[str, CheckpointInfo] = {}
checkpoint_aliases: dict[str, CheckpointInfo] = {}
QUICK_TO_HASH = 100_000_000  # bytes
_command_line_obeyed = False


class CheckpointInfo:
    """A checkpoint file under the names it answers to."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        path = Path(filename)
        self.name = path.name
        self.name_for_extra = path.stem
        self.model_name = path.stem
        self.is_safetensors = path.suffix.lower() == ".safetensors"
        self.metadata: dict = {}
        self.sha256 = hashes.sha256_from_cache(filename, f"checkpoint/{self.name}")
        self._name_by_hash()

    def _name_by_hash(self) -> None:
        self.shorthash = self.sha256[:10] if self.sha256 else None
        self.hash = self.shorthash
        self.title = f"{self.name} [{self.shorthash}]" if self.shorthash else self.name
        self.short_title = self.title.replace(".safetensors", "")
        self.ids = [
            name for name in (self.shorthash, self.sha256, self.model_name, self.name, self.title) if name
        ]

    def register(self) -> None:
        """Take the names that are free: of two files of one name the first keeps it, --checkpoint's."""
        checkpoints_list.setdefault(self.title, self)
        for name in self.ids:
            checkpoint_aliases.setdefault(name, self)

    def calculate_shorthash(self) -> str | None:
        """Compute the hash at the first use; the title changes with it."""
        if self.shorthash is not None:
            return self.shorthash
        self.sha256 = hashes.sha256(self.filename, f"checkpoint/{self.name}")
        if self.sha256 is None:
            return None
        if checkpoints_list.get(self.title) is self:
            del checkpoints_list[self.title]
        self._name_by_hash()
        self.register()
        return self.shorthash


def list_models() -> None:
    """Read the folders; --checkpoint comes first."""
    from modules.shared import cmd_opts, opts

    if cmd_opts.ckpt and not Path(cmd_opts.ckpt).is_file():
        raise FileNotFoundError(f"--checkpoint {cmd_opts.ckpt}: there is no such file.")
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    files = [Path(cmd_opts.ckpt)] if cmd_opts.ckpt else []
    for folder in (model_path, cmd_opts.ckpt_dir):
        if folder and Path(folder).is_dir():
            files.extend(sorted(Path(folder).rglob("*.safetensors")))
    for file in dict.fromkeys(file.resolve() for file in files):
        if file.is_file():
            info = CheckpointInfo(str(file))
            info.register()
            # The title carries the hash; where that is quick to know, it never changes under the page's eyes.
            if file.stat().st_size < QUICK_TO_HASH:
                info.calculate_shorthash()
    global _command_line_obeyed
    if cmd_opts.ckpt and not _command_line_obeyed:
        chosen = checkpoint_aliases.get(Path(cmd_opts.ckpt).name)
        opts.data["sd_model_checkpoint"] = chosen.title if chosen else None
    _command_line_obeyed = True


def checkpoint_tiles(use_short: bool = False) -> list[str]:
    return [info.short_title if use_short else info.title for info in checkpoints_list.values()]


def get_closet_checkpoint_match(search: str | None) -> CheckpointInfo | None:
    """A checkpoint by any of its names, or by part of its title."""
    if not search:
        return None
    if search in checkpoint_aliases:
        return checkpoint_aliases[search]
    without_hash = search.split(" [", maxsplit=1)[0]
    if without_hash in checkpoint_aliases:
        return checkpoint_aliases[without_hash]
    found = [info for info in checkpoints_list.values() if search.lower() in info.title.lower()]
    return min(found, key=lambda info: len(info.title), default=None)


get_closest_checkpoint_match = get_closet_checkpoint_match


def select_checkpoint() -> CheckpointInfo:
    """The checkpoint of the command line for the first load, of the settings afterwards."""
    from modules import shared

    if not checkpoints_list:
        list_models()
    chosen = get_closet_checkpoint_match(shared.opts.data.get("sd_model_checkpoint"))
    if chosen is not None:
        return chosen
    if not checkpoints_list:
        raise FileNotFoundError(f"There is no checkpoint in {model_path}; give one by --checkpoint.")
    return next(iter(checkpoints_list.values()))


def unknown_checkpoint(name: str) -> str:
    """The message for a name nobody answers to."""
    near = difflib.get_close_matches(name, list(checkpoint_aliases), n=1)
    hint = f" Nearest: '{near[0]}'." if near else ""
    return f"Unknown checkpoint: {name}.{hint}"
