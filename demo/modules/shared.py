"""What everything in the host shares: command line, settings, state, and the loaded model."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from modules import shared_cmd_options, shared_options
from modules.options import OptionDiv, OptionHTML, OptionInfo, Options, options_section
from modules.paths_internal import data_path, extensions_builtin_dir, extensions_dir, models_path, script_path
from modules.shared_state import State

__all__ = [
    "OptionDiv",
    "OptionHTML",
    "OptionInfo",
    "data_path",
    "extensions_builtin_dir",
    "extensions_dir",
    "models_path",
    "options_section",
    "script_path",
]

cmd_opts = shared_cmd_options.cmd_opts
config_filename = str(Path(data_path) / "config.json")
opts = Options(shared_options.build_options())
opts.load(config_filename)
state = State()

demo = None
device = None
prompt_styles = None
face_restorers: list = []
sd_upscalers: list = []
hypernetworks: dict = {}
loaded_hypernetworks: list = []
settings_components: dict = {}
tab_names: list[str] = []
hide_dirs = {"visible": True}
latent_upscale_default_mode = "Latent"
latent_upscale_modes = {
    "Latent": {"mode": "bilinear", "antialias": False},
    "Latent (antialiased)": {"mode": "bilinear", "antialias": True},
    "Latent (bicubic)": {"mode": "bicubic", "antialias": False},
    "Latent (nearest)": {"mode": "nearest", "antialias": False},
    "Latent (nearest-exact)": {"mode": "nearest-exact", "antialias": False},
}


class Shared(ModuleType):
    """`shared.sd_model` loads the model when it is first asked for."""

    @property
    def sd_model(self):
        from modules import sd_models

        return sd_models.model_data.get_sd_model()

    @sd_model.setter
    def sd_model(self, value):
        from modules import sd_models

        sd_models.model_data.set_sd_model(value)


sys.modules[__name__].__class__ = Shared
