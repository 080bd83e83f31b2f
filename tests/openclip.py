"""OpenCLIP's text tower from the installed package, which cannot be imported whole without torchvision."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn


def text_tower(width: int, layers: int, heads: int, vocabulary: int = 49408, tokens: int = 77) -> nn.Module:
    """Make the text encoder as it stands in AUTOMATIC1111's SD 2 and SDXL, in evaluation mode."""
    tower = _transformer().TextTransformer(
        context_length=tokens,
        vocab_size=vocabulary,
        width=width,
        heads=heads,
        layers=layers,
        output_dim=width,
        output_tokens=True,
    )
    return tower.eval()


def _transformer() -> Any:
    """Import `open_clip.transformer` alone, under a package that holds nothing else, and leave no trace."""
    spec = importlib.util.find_spec("open_clip")
    assert spec is not None and spec.origin is not None
    package, utils = ModuleType("open_clip"), ModuleType("open_clip.utils")
    package.__path__ = [str(Path(spec.origin).parent)]
    utils.to_2tuple = utils.feature_take_indices = None  # type: ignore[attr-defined]
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "open_clip"}
    sys.modules |= {"open_clip": package, "open_clip.utils": utils}
    try:
        return importlib.import_module("open_clip.transformer")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "open_clip"]:
            del sys.modules[name]
        sys.modules.update(kept)
