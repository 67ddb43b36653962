"""A recipe and a set of pictures become weights."""

from npfill.training.distributed import is_first_process
from npfill.training.proposal import survey
from npfill.training.recipe import explain, find, render
from npfill.training.train import example, train

__all__ = ["example", "explain", "find", "is_first_process", "render", "survey", "train"]
