"""A stack, the opened networks and a model's shapes become one plan: what changes each weight, how strongly.

    plan = make_plan(stack, networks, view)      # networks: one for every active row, in the stack's order

Pure: the same values give the same plan, whatever was applied before. Here the user's number meets the
block, the schedule and the part, and is multiplied for the only time; behind this line there are strengths
only.
"""

from lib_lora.plan.contribution import UNET_PART, Contribution, in_text_encoder
from lib_lora.plan.plan import Plan, make_plan
from lib_lora.plan.row import ModelFacts, PlannedEntry

__all__ = [
    "UNET_PART",
    "Contribution",
    "ModelFacts",
    "Plan",
    "PlannedEntry",
    "in_text_encoder",
    "make_plan",
]
