"""What things are called: the many spellings of a weight, and its one canonical name.

A canonical name is `<part>.<dotted module path>` with part `unet` (LDM paths) or `clip_l` (Hugging Face
paths) and no `.weight`, e.g. `unet.middle_block.1.proj_in`. Names are looked up in generated tables and never
guessed by pattern, so every name of a file either leads to exactly one weight or is reported.
"""

from lib_lora.keys.architecture import Architecture
from lib_lora.keys.resolve import ARCHITECTURES, Resolution, find_architecture, resolve

__all__ = ["ARCHITECTURES", "Architecture", "Resolution", "find_architecture", "resolve"]
