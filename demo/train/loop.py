"""One resumable training loop for all stages.

Every step draws its chance from (seed, step) alone, so a run that was stopped and taken up again gives the
same bytes as one that was not.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from demo.train.settings import Plan


@dataclass(frozen=True)
class Dice:
    """All chance of one step: one generator for tensors, one for words and drawings."""

    tensors: torch.Generator
    words: random.Random

    @classmethod
    def of(cls, seed: int, step: int) -> Dice:
        return cls(torch.Generator().manual_seed(seed * 1_000_003 + step), random.Random(f"{seed} {step}"))

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.tensors)

    def uniform(self, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=self.tensors)


def rate_at(plan: Plan, step: int) -> float:
    """Linear warm-up, a level part, then half a cosine down to two percent."""
    done = step / (plan.horizon or plan.steps)
    level = 1.0 if done < plan.hold else 0.5 * (1 + math.cos(math.pi * (done - plan.hold) / (1 - plan.hold)))
    return plan.rate * min(1.0, (step + 1) / plan.warm) * max(0.02, level)


def place_in_team() -> tuple[int, int]:
    """This process's number and how many share each step; (0, 1) when it works alone."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def share_gradients(weights: list[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the team."""
    flat = torch.cat([w.grad.flatten() for w in weights])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for w, part in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
        w.grad.copy_(part.view_as(w))


@contextmanager
def averaged(weights: list[nn.Parameter], average: list[torch.Tensor]) -> Iterator[None]:
    """The averaged weights in the model for a while: they are what a stage hands on."""
    kept = [w.detach().clone() for w in weights]
    try:
        for w, mean in zip(weights, average, strict=True):
            w.data.copy_(mean)
        yield
    finally:
        for w, own in zip(weights, kept, strict=True):
            w.data.copy_(own)


def train(
    name: str,
    plan: Plan,
    model: nn.Module,
    loss_of: Callable[[Dice, int], torch.Tensor],
    folder: Path,
    stop_after: int | None = None,
    report: Callable[[int], str] | None = None,
) -> dict[str, torch.Tensor]:
    """Train `model` in place; return the averaged weights. State: `folder`/NAME.state.pt.

    `stop_after` ends early after that many steps in all, as an interruption would. In a team of processes
    each draws its own share of the batch; all end with the same weights and the first keeps the state.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.state.pt"
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=plan.rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    average = [w.detach().clone() for w in weights]
    step, seconds = 0, 0.0
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average, step, seconds = state["average"], state["step"], state["seconds"]
    number, team = place_in_team()
    started, losses = time.process_time(), []
    last = plan.steps if stop_after is None else min(plan.steps, stop_after)
    while step < last:
        for group in optimiser.param_groups:
            group["lr"] = rate_at(plan, step)
        loss = loss_of(Dice.of(plan.seed, step * team + number), step)
        optimiser.zero_grad(set_to_none=False)
        loss.backward()
        if team > 1:
            share_gradients(weights)
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(average, weights, 1 - min(plan.ema, (step + 1) / (step + 20)))
        losses.append(float(loss.detach()))
        if number == 0 and (step % plan.save_every == 0 or step == last):
            spent = seconds + time.process_time() - started
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "average": average}
            save({**state, "step": step, "seconds": spent}, path)
            with averaged(weights, average):
                note = report(step) if report else ""
            recent = losses[-plan.save_every :]
            print(
                f"{name} {step}/{plan.steps} loss {sum(recent) / len(recent):.4f} cpu {spent:.0f}s {note}",
                flush=True,
            )
    named = dict(zip([n for n, p in model.named_parameters() if p.requires_grad], average, strict=True))
    return {**{k: v.detach().clone() for k, v in model.state_dict().items()}, **named}


def save(value: object, path: Path) -> None:
    """Write beside and rename: an interruption leaves the older state."""
    partial = path.with_name(path.name + ".partial")
    torch.save(value, partial)
    partial.replace(path)


def seconds_per_step(folder: Path, name: str) -> float:
    """Measured processor seconds per step of a finished stage."""
    state = torch.load(folder / f"{name}.state.pt", weights_only=True)
    return state["seconds"] / max(1, state["step"])
