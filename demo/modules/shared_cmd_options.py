"""The parsed command line; extensions' preload.py run first."""

from __future__ import annotations

import os
from pathlib import Path

from modules import cmd_args, extensions, script_loading
from modules.paths_internal import models_path

parser = cmd_args.build_parser()
script_loading.preload_extensions(extensions.folders(), parser)
cmd_opts = parser.parse_args(cmd_args.argv)

if cmd_opts.lora_dir is None:
    cmd_opts.lora_dir = str(Path(models_path) / "lora")
if cmd_opts.port is None:
    cmd_opts.port = int(os.environ.get("DEMO_PORT") or 7860)
# The WebUI's API is a flag there; here it is always on.
cmd_opts.api = True
cmd_opts.nowebui = False
cmd_opts.gradio_auth = None
