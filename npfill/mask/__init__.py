"""Masks without painting: what is damaged in a picture, found where that can be done well.

Each function takes a path, a Pillow image or an array and returns an array "height width", True
where the picture is to be filled. `npfill mask` writes their union as a file, to be looked at and
mended before anything is filled. docs/masks.md says what each finds, and misses.
"""

from npfill.mask.lines import scratches
from npfill.mask.painted import colour, depth, like, stripes
from npfill.mask.proposal import Proposal, propose, sight
from npfill.mask.spots import dust, text

__all__ = [
    "Proposal",
    "colour",
    "depth",
    "dust",
    "like",
    "propose",
    "scratches",
    "sight",
    "stripes",
    "text",
]
