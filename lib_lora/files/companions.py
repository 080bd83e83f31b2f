"""Every text file that WebUIs and their companions put beside a network, joined into one sidecar.

NAME.json                            the WebUI, Civitai Browser+
NAME.metadata.json                   ComfyUI LoRA Manager
NAME.safetensors.rgthree-info.json   rgthree's Power Lora Loader
NAME.civitai.info, NAME.api_info.json  Civitai Helper, Civitai Browser+: the site's answer
NAME.txt, NAME.description.txt       a description

In this order: what the user wrote goes before what a site says. All of it is read, only the first is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .sidecars import SIZE_LIMIT, TEXT_LIMIT, Sidecar, read_small, read_weight, webui_sidecar
from .text import clean, clean_lines, parse_json

WORDS = 30  # trigger words and tags kept
WORD_LIMIT = 300  # characters of one
PROMPTS = 20  # example prompts kept
PROMPT_LIMIT = 2_000
Document = Mapping[str, object]
Reader = Callable[[Document], Sidecar]
_SILENT = Sidecar()


@dataclass(frozen=True)
class Companion:
    """One file beside a network and what was read from it."""

    name: str
    kind: str  # "webui", "lora-manager", "rgthree", "civitai" or "text"
    sidecar: Sidecar
    prompts: tuple[str, ...] = ()
    model: tuple[str, str] = ("", "")  # the numbers of model and version at Civitai


def read_companions(path: Path, names: Iterable[str]) -> tuple[Companion, ...]:
    """Read those of `names` that belong to the network at `path`, the most trusted first; never raises."""
    present = _present(path.name, names)
    return tuple([_companion(path.with_name(name), kind, read) for name, kind, read in present])


def read_joined(path: str, names: Sequence[str]) -> Sidecar:
    """Return what those of `names` that belong to the network at `path` say together; never raises.

    As `read_companions`, without what only a file's own page shows.
    """
    if not any(name.lower().endswith(_ENDINGS) for name in names):
        return _SILENT  # pictures at most
    whole = os.path.basename(path)  # noqa: PTH119  a scan asks this of thousands
    folder = path[: -len(whole)]
    found = [_told(folder + name, kind, read)[0] for name, kind, read in _present(whole, names)]
    if not found:
        return _SILENT
    return found[0] if len(found) == 1 else join(found)


def texts_beside(path: str, names: Iterable[str]) -> list[str]:
    """Return the paths of those of `names` beside the network at `path` that `read_joined` may read."""
    folder = path[: -len(os.path.basename(path))]  # noqa: PTH119  a scan asks this of thousands
    return [folder + name for name in names if name.lower().endswith(_ENDINGS)]


def join(sidecars: Iterable[Sidecar]) -> Sidecar:
    """Return each field from the first sidecar that has it."""
    told: dict[str, Any] = {}
    for sidecar in sidecars:
        for name, value in zip(Sidecar._fields, sidecar, strict=True):
            if value not in ("", None, (), False) and name not in told:
                told[name] = value
    return Sidecar(**told)


def companion_suffixes() -> tuple[str, ...]:
    """Return how the names of such files end; one that begins with `*` follows the whole file name."""
    return tuple(suffix for suffix, _, _ in _READERS)


def _present(whole: str, names: Iterable[str]) -> list[tuple[str, str, Reader | None]]:
    """Return those of `names` that belong to the network called `whole`, in the order of trust."""
    known = frozenset(names)
    stem = whole.rpartition(".")[0]
    named = [(whole + end[1:] if end[0] == "*" else stem + end, kind, read) for end, kind, read in _READERS]
    folded = {name.lower(): name for name in known}
    actual = [(n if n in known else folded.get(n.lower(), ""), kind, read) for n, kind, read in named]
    return [reader for reader in actual if reader[0]]


def _told(path: str | Path, kind: str, read: Reader | None) -> tuple[Sidecar, dict[str, Any]]:
    """Return what a file says, and the document it says it in, empty where there is none."""
    text, problem = read_small(path)
    if read is None:
        return Sidecar(description=clean_lines(text, TEXT_LIMIT), problem=problem), {}
    document = parse_json(text, SIZE_LIMIT) if text else {}
    if not isinstance(document, dict):
        whose = "the WebUI writes" if kind == "webui" else f"of {kind}"
        return Sidecar(problem=f"{Path(path).name} is not the JSON {whose}."), {}
    sidecar = read(document)
    return sidecar._replace(problem=problem) if problem else sidecar, document


def _companion(path: Path, kind: str, read: Reader | None) -> Companion:
    sidecar, document = _told(path, kind, read)
    site = (
        document.get("civitai")
        if kind == "lora-manager"
        else document.get("raw")
        if kind == "rgthree"
        else document
    )
    raw = site if isinstance(site, dict) else {}
    numbers = (_number(raw.get("modelId")), _number(raw.get("id")) if kind != "webui" else "")
    return Companion(path.name, kind, sidecar, _prompts(raw), numbers)


def _lora_manager(document: Document) -> Sidecar:
    site = document.get("civitai")
    words = site.get("trainedWords") if isinstance(site, dict) else None
    tips = document.get("usage_tips")
    advice = parse_json(tips, 10_000) if isinstance(tips, str) else tips
    advice = advice if isinstance(advice, dict) else {}
    return Sidecar(
        title=clean(document.get("model_name"), WORD_LIMIT),
        base_model=clean(document.get("base_model"), 80),
        notes=clean_lines(document.get("notes"), TEXT_LIMIT),
        description=clean_lines(_plain(document.get("modelDescription")), TEXT_LIMIT),
        tags=_words(document.get("tags")),
        trained_words=_words(words),
        preferred_weight=read_weight(advice.get("strength")),
        strength_min=read_weight(advice.get("strength_min")),
        strength_max=read_weight(advice.get("strength_max")),
        favourite=document.get("favorite") is True,
        sha256=clean(document.get("sha256"), 64).lower(),
        autov3=clean(document.get("autov3"), 64).lower(),
    )


def _rgthree(document: Document) -> Sidecar:
    listed = document.get("trainedWords")
    words = [
        word.get("word") if isinstance(word, dict) else word
        for word in (listed if isinstance(listed, list) else [])
    ]
    return Sidecar(
        title=clean(document.get("name"), WORD_LIMIT),
        base_model=clean(document.get("baseModel"), 80),
        notes=clean_lines(document.get("userNote"), TEXT_LIMIT),
        trained_words=_words(words),
        strength_min=read_weight(document.get("strengthMin")),
        strength_max=read_weight(document.get("strengthMax")),
        sha256=clean(document.get("sha256"), 64).lower(),
    )


def _civitai(document: Document) -> Sidecar:
    model = document.get("model")
    model = model if isinstance(model, dict) else {}
    files = document.get("files")
    hashes: Mapping[str, object] = {}
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and isinstance(file.get("hashes"), dict):
            hashes = file["hashes"]
            break
    return Sidecar(
        title=clean(model.get("name"), WORD_LIMIT),
        base_model=clean(document.get("baseModel"), 80),
        description=clean_lines(_plain(document.get("description") or model.get("description")), TEXT_LIMIT),
        tags=_words(model.get("tags") or document.get("tags")),
        trained_words=_words(document.get("trainedWords")),
        sha256=clean(hashes.get("SHA256"), 64).lower(),
        autov3=clean(hashes.get("AutoV3"), 64).lower(),
    )


_READERS: tuple[tuple[str, str, Reader | None], ...] = (
    (".json", "webui", webui_sidecar),
    (".metadata.json", "lora-manager", _lora_manager),
    ("*.rgthree-info.json", "rgthree", _rgthree),
    (".civitai.info", "civitai", _civitai),
    (".api_info.json", "civitai", _civitai),
    (".txt", "text", None),
    (".description.txt", "text", None),
)
_ENDINGS = tuple(suffix.lstrip("*") for suffix, _, _ in _READERS)


def _words(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    words = (clean(word, WORD_LIMIT).strip(", ") for word in listed[: WORDS * 4])
    return tuple(dict.fromkeys(word for word in words if word))[:WORDS]


def _prompts(document: Document) -> tuple[str, ...]:
    images = document.get("images")
    found = []
    for image in images[: PROMPTS * 4] if isinstance(images, list) else []:
        meta = image.get("meta") if isinstance(image, dict) else None
        prompt = clean_lines(meta.get("prompt"), PROMPT_LIMIT) if isinstance(meta, dict) else ""
        if prompt:
            found.append(prompt)
    return tuple(dict.fromkeys(found))[:PROMPTS]


def _number(value: object) -> str:
    return str(value) if type(value) is int and 0 < value < 10**12 else ""


def _plain(value: object) -> object:
    """Return HTML as plain text: what stands between tags, with paragraphs as lines."""
    if not isinstance(value, str) or "<" not in value:
        return value
    parts, inside = [], False
    for piece in value[: TEXT_LIMIT * 4].replace("<", "\0<").split("\0"):
        inside = piece.startswith("<")
        tag, closed, text = piece.partition(">") if inside else ("", ">", piece)
        if tag.lower().startswith(("<p", "<br", "</p", "<li", "<h", "<div")):
            parts.append("\n")
        parts.append(text if closed else piece)
    text = "".join(parts)
    for name, letter in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ):
        text = text.replace(name, letter)
    return text
