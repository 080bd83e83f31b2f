"""What this extension adds to the start of a WebUI; `python -m tests.bench.startup`, no test.

Processor time of one process, in the demo host, after everything that a WebUI imports for itself (torch,
gradio, fastapi and the rest). The second and later starts count: the first also compiles our files, even
where the environment forbids to keep what is compiled. The files of a library are read when they are first
asked for, not here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5


def measure() -> dict[str, float]:
    """Start a host as far as its page, in this process; return milliseconds by step of ours."""
    sys.path.insert(0, str(ROOT / "demo"))
    from app import boot

    boot.prepare(["--data-dir", tempfile.mkdtemp(), "--no-browser"])
    import fastapi
    import gradio as gr
    import safetensors.torch  # noqa: F401
    from modules import extensions, script_callbacks, script_loading, scripts, shared, ui

    spent: dict[str, float] = {}

    def timed(step: str, work: Callable[[], object]) -> object:
        began = time.process_time()
        result = work()
        spent[step] = spent.get(step, 0.0) + (time.process_time() - began) * 1000
        return result

    load = script_loading.load_module

    def load_timed(path: str) -> object:
        ours = Path(path).resolve() == ROOT / "scripts" / "lora_stack.py"
        return timed("import and registration", lambda: load(path)) if ours else load(path)

    script_loading.load_module = load_timed
    boot.load_extensions()
    (door,) = {data.module.door for data in scripts.scripts_data if hasattr(data.module, "door")}
    timed("axes of the plot", door.before_ui)
    script_callbacks.ui_settings_callback()
    for is_img2img in (False, True):
        runner = scripts.scripts_img2img if is_img2img else scripts.scripts_txt2img
        runner.initialize_scripts(is_img2img)
        ours = [s for s in runner.alwayson_scripts if Path(s.filename).resolve().parent == ROOT / "scripts"]
        for _ in range(3):  # the page, and twice for the API
            for script in ours:
                with gr.Blocks():
                    timed("the panel, three times in each tab", lambda: script.ui(is_img2img))  # noqa: B023
    timed("routes", lambda: door.add_routes(None, fastapi.FastAPI()))
    assert extensions and shared and ui
    return spent


def main() -> None:
    """Measure in fresh processes and print the smallest time of each step."""
    if sys.argv[1:] == ["once"]:
        print(*(f"{step}\t{spent}" for step, spent in measure().items()), sep="\n")
        return
    best: dict[str, float] = {}
    command = [sys.executable, "-m", "tests.bench.startup", "once"]
    with tempfile.TemporaryDirectory() as kept:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": kept}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(ROUNDS):
            told = subprocess.run(command, cwd=ROOT, env=environment, text=True, stdout=-1, check=True).stdout
            for line in told.splitlines():
                step, tab, spent = line.rpartition("\t")
                if tab:
                    best[step] = min(best.get(step, float("inf")), float(spent))
    for step, spent in best.items():
        print(f"{spent:7.1f} ms  {step}")
    print(f"{sum(best.values()):7.1f} ms  added to a WebUI's start")


if __name__ == "__main__":
    main()
