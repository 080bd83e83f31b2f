"""What things are called: the many spellings of a weight, and its one canonical name.

A canonical name is `<part>.<dotted module path>` with part `unet` (LDM paths), `clip_l`, `clip_h` or
`clip_g` (Hugging Face paths) and no `.weight`, e.g. `unet.middle_block.1.proj_in`. Names are looked up in
generated tables and never guessed by pattern, so every name of a file leads to exactly one weight or is told.
"""

from lib_lora.keys.architecture import UNET, Architecture
from lib_lora.keys.resolve import ARCHITECTURES, Resolution, find_architecture, resolve
from lib_lora.keys.targets import TARGETS, Target, find_target

__all__ = [
    "ARCHITECTURES",
    "TARGETS",
    "UNET",
    "Architecture",
    "Resolution",
    "Target",
    "find_architecture",
    "find_target",
    "resolve",
]
