"""The stages in the order in which they need each other; each can be taken up where it stopped."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import torch
import torch.distributed as dist

from demo.train.art import ArtAutoencoder, train_art
from demo.train.base import LOOKS, latent_scale, train_stage
from demo.train.export import export
from demo.train.kl import train_kl
from demo.train.loop import save
from demo.train.models import KL, Autoencoder, Painter
from demo.train.settings import Settings
from demo.train.text import train_text


def finished(folder: Path, name: str, build: type[torch.nn.Module]) -> torch.nn.Module:
    """A stage's result, read from its file."""
    path = folder / f"{name}.pt"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run the stage `{name}` first, or `python -m demo.train all`.")
    model = build()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model


def read_art(folder: Path) -> ArtAutoencoder:
    return finished(folder, "art", ArtAutoencoder).requires_grad_(False).eval()


def run_art(settings: Settings, folder: Path) -> None:
    save(train_art(settings, folder).state_dict(), folder / "art.pt")


def run_text(settings: Settings, folder: Path) -> None:
    torch.manual_seed(settings.base.seed)
    painter = Painter()
    train_text(settings, folder, painter)
    save(painter.state_dict(), folder / "text.pt")


def run_kl(settings: Settings, folder: Path) -> None:
    save(train_kl(settings, folder, read_art(folder)).state_dict(), folder / "kl.pt")


LAST = list(LOOKS)[-1]  # of the painter's stages


def run_base(settings: Settings, folder: Path) -> None:
    """The painter's stages; alone, or as one of a team when WORLD_SIZE is set (see __main__.py)."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")
    art, first = read_art(folder), int(os.environ.get("RANK", "0")) == 0
    for before, name in pairwise(("text", *LOOKS)):
        if not (folder / f"{name}.pt").exists():
            painter = train_stage(name, settings, folder, art, finished(folder, before, Painter))
            if first:
                save(painter.state_dict(), folder / f"{name}.pt")
        if dist.is_initialized():
            dist.barrier()
    if dist.is_initialized():
        dist.destroy_process_group()


def run_export(folder: Path, target: Path) -> Path:
    autoencoder = Autoencoder(KL)
    autoencoder.load_state_dict(torch.load(folder / "kl.pt", weights_only=True))
    return export(finished(folder, LAST, Painter), autoencoder, latent_scale(read_art(folder)), target)
