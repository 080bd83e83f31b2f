"""Command line flags of the extension, all optional; runs before torch and gradio are imported."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path


def preload(parser: ArgumentParser) -> None:
    """Add our flags to the WebUI's own."""
    parser.add_argument(
        "--lora-stack-dir",
        action="append",
        default=[],
        metavar="FOLDER",
        help="one more folder with LoRA files for LoRA Stack; may be given several times",
    )
    parser.add_argument(
        "--lora-stack-data",
        default="",
        metavar="FOLDER",
        help="where LoRA Stack keeps its index and your notes (default: lora-stack beside the settings)",
    )
    extensions = Path(__file__).resolve().parents[1]
    if not any(extensions.glob("*/scripts/additional_networks.py")):  # else the flag is AddNet's own
        parser.add_argument(
            "--addnet-max-model-count",
            type=int,
            default=5,
            metavar="N",
            help="how many networks the API arguments of 'Additional networks for generating' hold",
        )
