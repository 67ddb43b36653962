"""A recipe and a set of pictures become weights."""

from npfill.training.distributed import is_first_process
from npfill.training.recipe import find, render
from npfill.training.train import example, train

__all__ = ["example", "find", "is_first_process", "render", "train"]
