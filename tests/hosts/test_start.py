"""A WebUI's start waits for what its extensions import: ours imports names and the panel, no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lib_lora.hosts.xyz import AXES

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, types
for name in ("modules", "modules.processing"):
    sys.modules[name] = types.ModuleType(name)
class Processing:
    def sample(self): pass
for name in ("", "Txt2Img", "Img2Img"):
    setattr(sys.modules["modules.processing"], "StableDiffusionProcessing" + name, Processing)
sys.modules["modules"].processing = sys.modules["modules.processing"]
scripts = sys.modules["modules.scripts"] = types.ModuleType("modules.scripts")
sys.modules["modules"].scripts, scripts.scripts_data = scripts, []
shared = sys.modules["modules.shared"] = types.ModuleType("modules.shared")
sys.modules["modules"].shared, shared.cmd_opts = shared, object()
from fastapi import FastAPI
from lib_lora.hosts.webui import Door
door = Door()
door.install()
door.before_ui()
door.model_loaded(None)
door.add_routes(None, FastAPI())
import lib_lora.ui.panel, lib_lora.ui.tab
print(*sorted(name for name in sys.modules if name.startswith("lib_lora.") and name.count(".") > 1))
door.uninstall()
"""
NAMES = (
    "lib_lora.engine.modes",
    "lib_lora.stack.addnet",
    "lib_lora.stack.axis_fields",
    "lib_lora.stack.names",
)


def test_a_start_imports_no_room_that_works() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "lib_lora.hosts.webui" in loaded
    working = [name for name in loaded if not name.startswith(("lib_lora.hosts.", "lib_lora.ui."))]
    assert working == sorted(NAMES)
    assert "lib_lora.hosts.workshop" not in loaded and "lib_lora.ui.routes" not in loaded


WITHOUT_A_PAGE = """
import sys
sys.path.insert(0, "demo")
from app import boot
boot.prepare(["--data-dir", sys.argv[1]])
boot.load_extensions()
from modules import scripts
scripts.scripts_txt2img.initialize_scripts(is_img2img=False)  # --nowebui does so before its callbacks
plot = next(data.module for data in scripts.scripts_data if data.path.endswith("xyz_grid.py"))
print(sum(option.label.startswith("[LoRA Stack] ") for option in plot.axis_options))
"""


@pytest.mark.demo
def test_the_axes_are_there_without_a_page(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_PAGE, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(len(AXES))
