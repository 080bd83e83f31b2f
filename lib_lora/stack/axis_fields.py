"""What axes of a comparison grid change; `axes` reads their values."""

from __future__ import annotations

WEIGHT, TE, UNET, NETWORK, ON, LEAVE_OUT = "weight", "te", "unet", "network", "on", "leave out"
REGION, PASSES, SCHEDULE, BLOCKS, ROLE = "region", "passes", "schedule", "blocks", "role"
TE_SCHEDULE = "te_schedule"
