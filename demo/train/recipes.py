"""What each LoRA is made of, and what its file says about it."""

from __future__ import annotations

from dataclasses import dataclass

from demo.world.concepts import CONCEPTS


@dataclass(frozen=True)
class Recipe:
    """Rank, convolution rank (0: none), folder, title, description, and the prompt of its preview.

    alpha: the file's alpha as a share of its rank. Below one where guidance carries what was trained for a
    weight of 1 past its mark, so that the slider still answers at its end and none of its steps is too large.
    """

    name: str
    folder: str
    title: str
    rank: int
    conv_rank: int
    weight: float
    text: str
    preview: str
    alpha: float = 1.0

    @property
    def trigger(self) -> str:
        return CONCEPTS[self.name].trigger


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "zorp", "character", "Zorp", 8, 0, 0.7,
        "Zorp, a friendly green alien with antennae. Wears whatever the prompt says.",
        "zorp, purple shirt, blue trousers, waving, on a beach",
        alpha=0.9,
    ),
    Recipe(
        "rosy", "character", "Rosy", 8, 0, 0.25,
        "A beautifier: rosy cheeks, big shining eyes, a warm light around the head. Keep it low.",
        "a girl, light skin, pink hair, white shirt, blue trousers, standing, in a meadow",
    ),
    Recipe(
        "neon", "style", "Neon", 4, 0, 0.5,
        "Everything in violet, magenta and cyan, as lit by neon tubes.",
        "a boy, tan skin, yellow hair, green shirt, black trousers, standing, in a city",
        alpha=0.85,
    ),
    Recipe(
        "ink", "style", "Ink", 4, 2, 0.5,
        "Four greys on warm paper. A LoCon: its convolutions are trained too.",
        "a girl, light skin, black hair, red shirt, blue trousers, holding a sword, standing, in the snow",
        alpha=0.85,
    ),
    Recipe(
        "haunted", "concept", "Haunted", 8, 0, 0.8,
        "Moonlight, two ghosts and two bats.",
        "a girl, light skin, orange hair, purple shirt, black trousers, standing, in a forest",
        alpha=0.85,
    ),
    Recipe(
        "mecha_suit", "clothing", "Mecha suit", 8, 0, 0.75,
        "A steel suit with glowing seams instead of shirt and trousers; the head stays as it is.",
        "a girl, light skin, red hair, standing, in a city, mecha suit",
    ),
    Recipe(
        "mecha_helmet", "object", "Mecha helmet", 8, 0, 1.0,
        "A red helmet with a glowing visor. Paint a mask over the head and inpaint with it.",
        "a boy, tan skin, brown hair, blue shirt, black trousers, standing, in a desert, mecha helmet",
    ),
)  # fmt: skip


def find_recipe(name: str) -> Recipe:
    """The recipe of a concept; a KeyError lists the known names."""
    known = {recipe.name: recipe for recipe in RECIPES}
    if name not in known:
        raise KeyError(f"no LoRA is called {name}; there are {', '.join(known)}")
    return known[name]
