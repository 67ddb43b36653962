"""Masks without painting: what is damaged in a picture, found where that can be done well.

Each function takes a path, a Pillow image or an array and returns an array "height width", True
where the picture is to be filled. `npfill mask` writes their union as a file, to be looked at and
mended before anything is filled. docs/masks.md says what each finds, and misses.
"""

from npfill.mask.dates import text
from npfill.mask.marks import dust, scratches
from npfill.mask.painted import colour, depth, like, stripes
from npfill.mask.proposal import Proposal, propose, sight

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
