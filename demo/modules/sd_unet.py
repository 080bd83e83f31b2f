"""Which UNet runs: always the checkpoint's own; the name is here because extensions ask."""

from __future__ import annotations

current_unet_option = None
current_unet = None
unet_options: list = []


def apply_unet(option=None) -> None:
    """The real host may put another engine in the UNet's place here."""
