"""The command line of LoRA Stack.

    python -m lib_lora inspect FILE… [--against sdxl] [--json] [--check-values]
    python -m lib_lora index FOLDER… [--json] [--data FOLDER]
    python -m lib_lora search WORD… --in FOLDER… [--json] [--data FOLDER] [--limit 20]

inspect exits with 0: all files can be used (and fit, where asked); 1: one does not fit; 2: one is unusable.
index exits with 2 where a folder could not be read; search with 1 where nothing was found. All end without a
word where nobody reads what they print any more, as before `| head`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lib_lora.errors import FileError
from lib_lora.inspection.inspect import Table, inspect_file
from lib_lora.inspection.render import render
from lib_lora.keys import TARGETS
from lib_lora.library.commands import index_folders, render_hits, render_index, search_folders

FITS, MISFIT, UNUSABLE = 0, 1, 2
UNREAD = 128 + 13  # as a shell tells of a program that ended by SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def run_quietly() -> int:
    """Run the command and return its exit code, also where the output's reader is gone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Windows writes into files and pipes in a page of 256 signs
            stream.reconfigure(errors="replace")
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
        return UNREAD


def _run_inspect(options: argparse.Namespace) -> int:
    tables = [_inspect(path, options.against, options.check_values) for path in options.files]
    if options.json:
        print(json.dumps({"files": tables}, indent=2))
    else:
        print("\n\n".join(map(render, tables)))
    return max(map(_code, tables))


def _run_index(options: argparse.Namespace) -> int:
    table = index_folders(options.folders, options.data)
    print(json.dumps(table, indent=2) if options.json else render_index(table))
    return UNUSABLE if table["problems"] else FITS


def _run_search(options: argparse.Namespace) -> int:
    table = search_folders(" ".join(options.words), options.folders, options.data, options.limit)
    print(json.dumps(table, indent=2) if options.json else render_hits(table))
    return FITS if table["total"] else MISFIT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib_lora", description="Tools of LoRA Stack.")
    commands = parser.add_subparsers(required=True, metavar="command")
    inspect = commands.add_parser("inspect", help="tell what a LoRA file is and whether it can be used")
    inspect.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .safetensors file")
    inspect.add_argument(
        "--against",
        choices=[target.name for target in TARGETS],
        default="",
        help="match its names and sizes with those of a kind of checkpoint",
    )
    inspect.add_argument("--json", action="store_true", help="print one JSON document")
    inspect.add_argument(
        "--check-values", action="store_true", help="read all numbers too: NaN, zeros, strength per block"
    )
    inspect.set_defaults(run=_run_inspect)
    index = commands.add_parser("index", help="index folders of LoRA files: how many, of what kind, how long")
    index.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    index.set_defaults(run=_run_index)
    search = commands.add_parser("search", help="search folders as the picker does")
    search.add_argument("words", nargs="+", metavar="WORD")
    search.add_argument("--in", dest="folders", nargs="+", type=Path, required=True, metavar="FOLDER")
    search.add_argument("--limit", type=int, default=20, help="hits shown (default 20)")
    search.set_defaults(run=_run_search)
    for command in (index, search):
        command.add_argument("--json", action="store_true", help="print one JSON document")
        command.add_argument(
            "--data", type=Path, default=None, metavar="FOLDER", help="keep the index there for the next time"
        )
    return parser


def _inspect(path: Path, against: str, values: bool) -> Table:
    table = inspect_file(path, against)
    if values and "error" not in table:
        from lib_lora.inspection.values import check_values  # torch only where it is asked for

        try:
            table["values"] = check_values(path)
        except FileError as error:
            table["error"] = {"name": type(error).__name__, "message": str(error)}
    return table


def _code(table: Table) -> int:
    values = table.get("values", {})
    refused = table.get("problem") or table.get("refused")
    if "error" in table or refused or values.get("not_finite") or values.get("faults"):
        return UNUSABLE
    return FITS if table.get("fit", {"fits": True})["fits"] else MISFIT


if __name__ == "__main__":
    sys.exit(run_quietly())
