"""The figure's parts as letters. Letters are colours, given when drawn; a dot is transparent.

o outline  h H y hair, its shade, its light  s S skin, its shade  e eye  w glint  c cheek  m mouth
t T shirt and shade  p P trousers and shade  b B boots and shade  l k K stone, its light and shade
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
HAIR_MARGIN = 6  # how far the rows of long hair reach beyond the figure's box on both sides
LONG_HAIR = (
    (
        ".oooo..................oooo.",
        "ohyhho................ohyhHo",
        "oyhhhho..............ohhhhHo",
        "ohhhhho..............ohhhhHo",
        "ohhhhHo..............ohhhHHo",
        "ohhhhHo..............ohhhHHo",
        "ohhhHHo..............ohhHHHo",
        ".ohhHo................ohHHo.",
        ".ohhHo................ohHHo.",
        "..ohHo................ohHo..",
        "...oo..................oo...",
    ),
    (
        "....oo................oo....",
        "...oho................oho...",
        "..ohho................ohHo..",
        "..ohhho..............ohhHo..",
        "..ohhho..............ohhHo..",
        "..ohhhho............ohhHHo..",
        "..ohhhho............ohhHHo..",
        "..ohhhho............ohhHHo..",
        "..ohhhho............ohhHHo..",
        "..ohhhho............ohhHHo..",
        "..ohhhHo............ohHHHo..",
        "...ohHo..............ohHo...",
        "....oo................oo....",
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
    "..ooo...",
    ".ossso..",
    "ossssso.",
    "ossssso.",
    ".osssto.",
    "..otttto",
    "..otttto",
    "...otttt",
    "....oott",
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
    ".opppo....oPPPo.",
    "obbbo......oBBBo",
    "obbbbo....oBBBBo",
    "oooooo....oooooo",
)
LEGS_SITTING = (
    "....oppppPPo....",
    "..oppppppPPPPPo.",
    ".oppppppPPPPPPo.",
    ".obbbo....oBBBo.",
    ".ooooo....ooooo.",
    "................",
    "................",
)
SEAT = (
    "oooooooooooooooo",
    "olllllllllllllko",
    "olkkkkkkkkkkkkKo",
    "olkkkkkkkkkkkkKo",
    "oKKKKKKKKKKKKKKo",
    "oooooooooooooooo",
)
