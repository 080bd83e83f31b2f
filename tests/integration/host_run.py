"""A program, not a test: draws in a fresh demo host and prints what must not have changed.

python -m tests.integration.host_run SEED COUNT: the plain picture's latents after COUNT random stacks.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any

DEMO = Path(__file__).resolve().parents[2] / "demo"


def digest(tensors: Any) -> str:
    """sha256 over names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} {tensor.data_ptr()}".encode())
        total.update(tensor.detach().contiguous().numpy().tobytes())
    return total.hexdigest()


def random_stack(chance: random.Random, names: list[str]) -> dict[str, Any]:
    """Any rows, any weights, parts apart or together, some off; sometimes one that must fail."""
    rows = []
    for name in chance.sample(names, chance.randint(0, len(names))):
        row: dict[str, Any] = {"network": name, "weight": round(chance.uniform(-1, 2), 2)}
        for part in ("te", "unet"):
            if chance.random() < 0.3:
                row[part] = chance.choice([0, 0.5, -1, 1.25])
        row["on"] = chance.random() < 0.8
        rows.append(row)
    if chance.random() < 0.05:
        rows.append({"network": "there is no such file"})
    return {"version": 1, "entries": rows}


class Run:
    """A demo host in this process."""

    def __init__(self) -> None:
        sys.path.insert(0, str(DEMO))
        from app.studio import Studio, request

        self.studio, self.request = Studio(), request
        from modules import script_callbacks, shared

        self.model = shared.sd_model
        self.latents = ""
        self.during: set[str] = set()
        self.watch = False
        script_callbacks.on_cfg_denoiser(self._see)

    def parameters(self) -> str:
        """Digest of everything the checkpoint consists of, places in memory included."""
        model = self.model
        parts = {
            "unet": model.model.diffusion_model,
            "text": model.cond_stage_model.wrapped,
            "vae": model.first_stage_model,
        }
        return digest({f"{p}.{n}": t for p, m in parts.items() for n, t in m.state_dict().items()})

    def traces(self) -> int:
        """Instance forwards and hooks left on the model."""
        modules = [
            *self.model.model.diffusion_model.modules(),
            *self.model.cond_stage_model.wrapped.modules(),
        ]
        return sum(
            "forward" in vars(m) or bool(m._forward_pre_hooks) or bool(m._forward_hooks) for m in modules
        )

    def draw(self, stack: Any = None, steps: int = 1) -> bool:
        """Make a picture; False when the stack was refused."""
        p = self.request(prompt="a girl, red hair, blue shirt, in a meadow", seed=5, steps=steps)
        sample = p.sample

        def remember(*args: Any, **kwargs: Any) -> Any:
            result = sample(*args, **kwargs)
            self.latents = hashlib.sha256(result.float().numpy().tobytes()).hexdigest()
            return result

        p.sample = remember
        try:
            self.studio.run(p, "" if stack is None else json.dumps(stack))
        except Exception as error:
            if getattr(error, "status_code", 0) != 422:
                raise
            return False
        return True

    def _see(self, _params: Any) -> None:
        if self.watch:
            self.during.add(self.parameters())


def main(seed: int, count: int) -> None:
    """Print one JSON object."""
    run = Run()
    from lib_lora.hosts import options
    from lib_lora.library.library import Library

    library = Library(options.folders())
    library.scan()
    names = [file.label for file in library.files() if not file.problem]
    before, clean = run.parameters(), run.traces()
    chance = random.Random(seed)
    refused = 0
    for index in range(count):
        run.watch = index % 20 == 0
        refused += not run.draw(random_stack(chance, names))
    run.watch = False
    run.draw(None, steps=4)
    told = {
        "latents": run.latents,
        "refused": refused,
        "networks": len(names),
        "parameters_same": {before} == {before, run.parameters(), *run.during},
        "looked_during": len(run.during),
        "traces": run.traces() - clean,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
