"""The figure's parts as letters. Letters are colours, given when drawn; a dot is transparent.

o outline  h H y hair, its shade, its light  s S skin, its shade  e eye  w glint  c cheek  m mouth
t T shirt and shade  p P trousers and shade  b B boots and shade
"""

from __future__ import annotations

FACE = (
    "....oooooooo....",
    "..oohhhhhhhhoo..",
    ".ohhhyyyhhhhhho.",
    ".ohhyyhhhhhhhHo.",
    ".ohhhhhhhhhhhHo.",
    ".ohhhhhhhhhhhHo.",
    ".ohsssssssssSHo.",
    ".ohsswesswessHo.",
    ".ohsseesseessHo.",
    ".ohscsssssscsHo.",
    "..ossssmmssSSo..",
    "...oossssssoo...",
)
FRINGES = (".ohhsshhsshhhHo.", ".ohhhhhhhsssSHo.")
FRINGE_ROW = 6
LONG_HAIR = (
    (
        "oo............oo",
        "oho..........oHo",
        "oho..........oHo",
        "oho..........oHo",
        "oho..........oHo",
        "ohho........oHHo",
        "ohho........oHHo",
        "ohho........oHHo",
        "ohho........oHHo",
        ".oho........oHo.",
        "..o..........o..",
    ),
    (
        "oo............oo",
        "hho..........oHH",
        "hhho........oHHH",
        "hhho........oHHH",
        "hho..........oHH",
        "ho............oH",
        "o..............o",
    ),
)
TRUNK = (
    ".....osssSo.....",
    "....otttttTo....",
    "....otttttTo....",
    "....otttttTo....",
    "....otttttTo....",
    "....ottttTTo....",
)
ARM_DOWN = (
    "...oo",
    "..ott",
    ".otto",
    ".otto",
    ".osso",
    "..oo.",
)
ARM_UP = (
    ".oo..",
    "osso.",
    "osso.",
    "otto.",
    "otto.",
    ".otto",
    "..ott",
    "...oo",
)
LEGS_STANDING = (
    "....oppppPPo....",
    "....oppooPPo....",
    "....oppooPPo....",
    "....oppooPPo....",
    "....obbooBBo....",
    "...obbbooBBBo...",
    "...oooooooooo...",
)
LEGS_WALKING = (
    "....oppppPPo....",
    "...opppooPPPo...",
    "..oppppooPPPPo..",
    "..oppoo..ooPPo..",
    ".obbo......oBBo.",
    ".obbbo....oBBBo.",
    ".ooooo....ooooo.",
)
