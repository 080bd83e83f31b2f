"""Write CLIP's vocab.json and merges.txt from the word list that open_clip_torch brings along.

The two files are what Hugging Face's CLIPTokenizer reads. They are made at set-up instead of being kept in
the repository, because every installation already has the words in another spelling.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path

FOLDER = Path(__file__).parent / "models" / "tokenizer"
MERGES = 49152 - 256 - 2  # CLIP keeps this many of the file's merges; the rest of the file is unused


def find_words() -> Path:
    """The gzip of merge rules inside open_clip_torch, found without importing the package."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise SystemExit("open_clip_torch is not installed: run `make demo`, which installs it.")
    return Path(spec.origin).with_name("bpe_simple_vocab_16e6.txt.gz")


def byte_letters() -> list[str]:
    """One printable letter per byte, in the order in which CLIP numbers them."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    other = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(other))]


def make_tokenizer(folder: Path = FOLDER, words: Path | None = None) -> Path:
    """Write both files into `folder` if they are not there yet; return the folder."""
    vocab_file, merges_file = folder / "vocab.json", folder / "merges.txt"
    if vocab_file.exists() and merges_file.exists():
        return folder
    lines = gzip.decompress((words or find_words()).read_bytes()).decode("utf-8").split("\n")
    merges = lines[1 : 1 + MERGES]
    letters = byte_letters()
    names = [*letters, *(letter + "</w>" for letter in letters), *("".join(m.split()) for m in merges)]
    names += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    write(vocab_file, json.dumps({name: number for number, name in enumerate(names)}, ensure_ascii=False))
    write(merges_file, "#version: 0.2\n" + "\n".join(merges) + "\n")
    return folder


def write(path: Path, text: str) -> None:
    """Write beside and rename, so that an interrupted run leaves no half file."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    print(make_tokenizer())
