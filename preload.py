"""Command line flags of the extension, all optional; runs before torch and gradio are imported."""

from __future__ import annotations

from argparse import ArgumentParser


def preload(parser: ArgumentParser) -> None:
    """Add our flags to the WebUI's own."""
    parser.add_argument(
        "--lora-stack-dir",
        action="append",
        default=[],
        metavar="FOLDER",
        help="one more folder with LoRA files for LoRA Stack; may be given several times",
    )
