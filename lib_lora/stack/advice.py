"""The five recipes every user knows, as data: what kind of network wants what weight, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A kind of network: the band `low`..`high` on the slider, where to start, one sentence of advice."""

    name: str
    label: str
    low: float
    high: float
    default: float
    hint: str
    slider_max: float = 2.0


ROLES: tuple[Role, ...] = (
    Role(
        "character",
        "Character",
        0.6,
        0.8,
        0.7,
        "A person or figure. Start at 0.7; higher copies the training pictures, pose and clothes included.",
    ),
    Role(
        "beautifier",
        "Beautifier",
        0.1,
        0.3,
        0.2,
        "Finer faces, skin or light. Keep it at 0.1–0.3; above that it fights with the style.",
    ),
    Role(
        "style",
        "Style",
        0.4,
        0.5,
        0.45,
        "The look of a studio or painter. Keep it below the character's weight, or it paints over them.",
    ),
    Role(
        "concept",
        "Concept",
        0.6,
        0.8,
        0.7,
        "A look together with a motif. Add its trigger words to the prompt; without them little happens.",
    ),
    Role(
        "clothing",
        "Clothing",
        0.4,
        0.7,
        0.6,
        "Outfits and mecha. Trained on clothes alone: when the person disappears, lower it.",
    ),
    Role(
        "object",
        "Object",
        1.0,
        1.3,
        1.0,
        "One thing: a helmet, food. Use 1 or more with inpainting, and paint the mask where it belongs.",
    ),
)


def find_role(name: str) -> Role | None:
    """Return the role of that name, or None for no role or one that this version does not know."""
    return next((role for role in ROLES if role.name == name), None)
