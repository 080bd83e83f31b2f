"""Our settings in the WebUI's settings page, and the folders they lead to."""

from __future__ import annotations

import csv
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lib_lora.engine.modes import AUTO, BYPASS, LEAST_MEMORY, MERGED
from lib_lora.hosts import a1111

if TYPE_CHECKING:  # what the functions that need it import: a WebUI's start waits for the rest of this file
    from lib_lora.library.masks import MaskStore
    from lib_lora.library.presets import Presets

SECTION = ("lora_stack", "LoRA Stack")
FOLDERS = "lora_stack_folders"
MODE = "lora_stack_mode"
MASK_FOLDER = "lora-stack-masks"
DATA_FOLDER = "lora-stack"
TAKEOVER = "lora_stack_takeover"
TAKEOVER_LABEL = "Apply <lora:…> tags of the prompt together with the stack"
NAMES = "lora_stack_names"
LANGUAGE = "lora_stack_language"
LANGUAGES = ("Automatic", "English", "简体中文", "日本語")
MODES = (
    (AUTO, "Automatic"),
    (MERGED, "Fastest: merge into the model's weights"),
    (LEAST_MEMORY, "Least memory"),
)
OTHER_SPELLINGS = (("fastest", MERGED), ("bypass", LEAST_MEMORY))
"""What else may stand in the settings: a short form, and the name the last one had before."""


def add_options() -> None:
    """Register our settings; called when the host builds its settings page."""
    import gradio as gr
    from modules import shared

    shared.opts.add_option(
        FOLDERS,
        shared.OptionInfo(
            "",
            "More folders with LoRA files, separated by commas or new lines",
            gr.Textbox,
            {"lines": 2},
            section=SECTION,
        ),
    )
    shared.opts.add_option(
        MODE,
        shared.OptionInfo(
            MODES[0][1],
            "How LoRAs are applied",
            gr.Radio,
            {"choices": [label for _, label in MODES]},
            section=SECTION,
        ),
    )
    shared.opts.add_option(
        TAKEOVER,
        shared.OptionInfo(
            True,
            TAKEOVER_LABEL,
            section=SECTION,
        ).info(
            "faster than the WebUI's own Lora, and the picture is the same; tags with more than names and "
            "weights stay with it"
        ),
    )
    shared.opts.add_option(
        LANGUAGE,
        shared.OptionInfo(
            LANGUAGES[0], "Language of the panel", gr.Radio, {"choices": list(LANGUAGES)}, section=SECTION
        ).info(
            "automatic: the WebUI's localization, or else the browser's language; a new choice takes effect "
            "with Reload UI"
        ),
    )
    shared.opts.add_option(
        NAMES,
        shared.OptionInfo("", "Names of this WebUI, separated by commas", section=SECTION).info(
            "only for a page without login that is reached under a domain of your own"
        ),
    )


def language() -> str:
    """Return the language that the user set for the panel, empty for none."""
    chosen = str(_option(LANGUAGE, LANGUAGES[0]))
    return "" if chosen == LANGUAGES[0] else chosen


def localization() -> str:
    """Return the name of the WebUI's localization, empty for none."""
    name = str(_option("localization", "None"))
    return "" if name == "None" else name


def takes_over() -> bool:
    """Return whether the tags of the prompt are ours."""
    return bool(_option(TAKEOVER, True))


def writes_hashes() -> bool:
    """Return whether the user wants `Lora hashes` in his pictures; the setting is the built-in Lora's."""
    return bool(_option("lora_add_hashes_to_infotext", True))


def always_added() -> str:
    """Return the network that the built-in Lora adds to every prompt, or an empty text."""
    name = str(_option("sd_lora", "None"))
    return "" if name == "None" else name


def installed(script: str) -> bool:
    """Return whether a script of that file name is loaded, of whatever extension."""
    from modules import scripts

    return any(Path(data.path).name == script for data in scripts.scripts_data)


def mode() -> str:
    """Return how stacks are applied, a mode of the engine: as the user chose, if the built-in allows."""
    if a1111.computes_beside():
        return BYPASS
    chosen = _option(MODE, "")
    named = (*MODES, *((name, other) for other, name in OTHER_SPELLINGS))
    return next((name for name, label in named if chosen in (name, label)), AUTO)


def folders() -> tuple[Path, ...]:
    """Return every folder that may hold LoRA files and exists, each once, the host's own first."""
    from modules import paths_internal, shared

    others = [
        str(getattr(shared.cmd_opts, "lora_dir", "") or Path(paths_internal.models_path, "Lora")),
        str(getattr(shared.cmd_opts, "lyco_dir_backcompat", "") or ""),
        *(getattr(shared.cmd_opts, "lora_dirs", None) or ()),  # Forge Neo's further ones
        str(Path(paths_internal.extensions_dir, "sd-webui-additional-networks", "models", "lora")),
        *_listed(str(_option("additional_networks_extra_lora_path", ""))),
    ]
    named = [_path(text) for text in (*others, *_own_folders()) if text.strip(' "')]
    found: dict[object, Path] = {}
    for folder in named:
        with suppress(OSError):  # it may go away at any moment
            if not _is_there(folder):
                continue
            # Where `Lora` and `lora` are one folder, as on a Mac, no name tells; numbers do.
            status = folder.stat()
            found.setdefault((status.st_dev, status.st_ino or folder.resolve()), folder.resolve())
    return tuple(found.values())


def absent_folders() -> tuple[Path, ...]:
    """Return the folders that the user named to us and that are not there: mistyped, or a drive away."""
    named = [_path(text) for text in _own_folders() if text.strip(' "')]
    return tuple(dict.fromkeys(folder.absolute() for folder in named if not _is_there(folder)))


def _own_folders() -> list[str]:
    from modules import shared

    return [*getattr(shared.cmd_opts, "lora_stack_dir", []), *_listed(str(_option(FOLDERS, "")))]


def _path(text: str) -> Path:
    return _expanded(text.strip().strip('"'))  # Windows copies paths in quotes


def _expanded(text: str) -> Path:
    """Return a path with `~` for the user's own folder; it may also begin a name of its own."""
    return Path(os.path.expanduser(text))  # noqa: PTH111  Path.expanduser raises where it is no user's


def _is_there(folder: Path) -> bool:
    """Tell whether it is a folder that can be looked into now."""
    return os.path.isdir(folder)  # noqa: PTH112  Path.is_dir raises for a drive that fails


def _listed(text: str) -> list[str]:
    """Return the folders of a setting, divided by commas and lines; AddNet puts names with commas in quotes.

    A line that is one folder with commas in its name is not divided.
    """
    found: list[str] = []
    for line in text.splitlines():
        whole = _is_there(_path(line))
        found += [line] if whole else next(csv.reader([line], skipinitialspace=True), [])
    return found


def data_folder() -> Path:
    """Return where index and notes are kept: beside the WebUI's settings, to outlive the extension."""
    from modules import paths_internal, shared

    chosen = str(getattr(shared.cmd_opts, "lora_stack_data", "") or "")
    return _expanded(chosen) if chosen else Path(paths_internal.extensions_dir).parent / DATA_FOLDER


def presets() -> Presets:
    """Return the named stacks."""
    from lib_lora.library.presets import Presets

    return Presets(data_folder() / "presets")


def mask_store() -> MaskStore:
    """Return where masks are kept: beside the pictures made with them."""
    from modules import paths_internal

    from lib_lora.library.masks import MaskStore

    everything, texts = (str(_option(key, "") or "") for key in ("outdir_samples", "outdir_txt2img_samples"))
    root = Path(everything) if everything else Path(texts or "outputs/pictures").parent
    return MaskStore(Path(paths_internal.data_path, root, MASK_FOLDER))


def passwords() -> dict[str, str]:
    """Return the users of the API and their passwords."""
    from modules import shared

    pairs = str(getattr(shared.cmd_opts, "api_auth", "") or "").split(",")
    return dict(pair.strip().split(":", 1) for pair in pairs if ":" in pair)


def own_names() -> tuple[str, ...]:
    """Return the names under which the user says that this WebUI may be reached."""
    from modules import shared

    listed = [
        *str(_option(NAMES, "")).split(","),
        *str(getattr(shared.cmd_opts, "cors_allow_origins", "") or "").split(","),
        str(getattr(shared.cmd_opts, "server_name", "") or ""),
    ]
    names = (urlsplit(text if "//" in text else f"//{text}").hostname for text in map(str.strip, listed))
    return tuple(name for name in names if name)


def block_presets() -> dict[str, str]:
    """Return the presets of blocks that the user keeps in LoRA Block Weight's files."""
    return _own_blocks()[0]


def block_preset_problems() -> tuple[str, ...]:
    """Say which of those files cannot be read."""
    return _own_blocks()[1]


def _own_blocks() -> tuple[dict[str, str], tuple[str, ...]]:
    from modules import paths_internal

    from lib_lora.stack.block_files import read_element_presets, read_presets

    folder = Path(paths_internal.extensions_dir, "sd-webui-lora-block-weight", "scripts")
    found: dict[str, str] = {}
    problems = []
    for name, read in (("elempresets.txt", read_element_presets), ("lbwpresets.txt", read_presets)):
        try:
            text = Path(folder, name).read_text(encoding="utf-8-sig", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(f"{name} cannot be read: {error.strerror}.")
            continue
        if "\0" in text:
            problems.append(f"{name} is not a text file. Save it as UTF-8 text, then load the page anew.")
            continue
        found |= read(text)
    return found, tuple(problems)


def _option(key: str, default: Any) -> Any:
    from modules import shared

    return shared.opts.data.get(key, default)
