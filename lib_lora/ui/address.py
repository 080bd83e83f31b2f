"""Where the page asks its questions."""

from __future__ import annotations

PREFIX = "/lora-stack"
