"""Where things lie: known before any other module is imported."""

from __future__ import annotations

import argparse
from pathlib import Path

from modules import cmd_args

_parser = argparse.ArgumentParser(add_help=False)
_parser.add_argument("--data-dir", default=None)
_parser.add_argument("--models-dir", default=None)
_known = _parser.parse_known_args(cmd_args.argv)[0]

modules_path = str(Path(__file__).resolve().parent)
script_path = str(Path(__file__).resolve().parents[1])
repository_path = str(Path(__file__).resolve().parents[2])
data_path = str(Path(_known.data_dir).expanduser().resolve()) if _known.data_dir else script_path
models_path = (
    str(Path(_known.models_dir).expanduser().resolve())
    if _known.models_dir
    else str(Path(script_path) / "models")
)
extensions_dir = str(Path(data_path) / "extensions")
extensions_builtin_dir = str(Path(script_path) / "extensions-builtin")
config_states_dir = str(Path(data_path) / "config_states")
default_output_dir = str(Path(data_path) / "outputs")
sd_model_file = str(Path(models_path) / "checkpoint" / "tiny.safetensors")
