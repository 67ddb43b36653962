"""The choice of the pixels to measure next, where each costs time or a dose of radiation."""

from npfill.completion import MAX_PIXELS, MaskOptions
from npfill.exploring.answers import Answers, converse
from npfill.exploring.explorer import Explorer
from npfill.exploring.grids import explorer_of
from npfill.exploring.plan import Plan, in_tours, plan
from npfill.exploring.rules import RULES

__all__ = [
    "MAX_PIXELS",
    "RULES",
    "Answers",
    "Explorer",
    "MaskOptions",
    "Plan",
    "converse",
    "explorer_of",
    "in_tours",
    "plan",
]
