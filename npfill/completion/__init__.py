"""Completion of pictures: files, images, arrays and data, with all that makes a result trustworthy.

A picture is read, its hole found, predicted, filled, and proven unchanged outside. Nothing here
prints, and torch is loaded when a model is.
"""

from npfill.completion.checks import Origin, changes_since, check_outside, made_again, self_test
from npfill.completion.from_python import complete, complete_many
from npfill.completion.hole import MaskOptions
from npfill.completion.outputs import OutputOptions
from npfill.completion.parameters import SamplingOptions
from npfill.completion.parts import windows_of
from npfill.completion.report import Report
from npfill.completion.result import Completion, comparison_png
from npfill.completion.run import Run
from npfill.completion.windows import Windows
from npfill.pictures.picture import Asked
from npfill.pictures.read import MAX_PIXELS

__all__ = [
    "MAX_PIXELS",
    "Asked",
    "Completion",
    "MaskOptions",
    "Origin",
    "OutputOptions",
    "Report",
    "Run",
    "SamplingOptions",
    "Windows",
    "changes_since",
    "check_outside",
    "comparison_png",
    "complete",
    "complete_many",
    "made_again",
    "self_test",
    "windows_of",
]
