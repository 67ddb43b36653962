"""The options of grids of numbers."""

from functools import partial
from typing import Annotated

import typer

_mask = partial(typer.Option, rich_help_panel="Mask")
_output = partial(typer.Option, rich_help_panel="Output")
_model = partial(typer.Option, rich_help_panel="Model")

NoData = Annotated[
    float | None,
    _model(
        "--nodata",
        metavar="VALUE",
        help="This value is missing, as 0 in depth maps; the file is data, not a photograph.",
    ),
]
Variable = Annotated[
    str, _model("--variable", metavar="NAME", help="The variable of a netCDF file or zarr store.")
]
Log = Annotated[bool, _model("--log", help="Complete the logarithm of data, all above 0.")]
Clip = Annotated[
    bool, _model("--clip", help="Fill data with no value beyond those that were observed.")
]
KeepOut = Annotated[
    list[str] | None,
    _mask(metavar="MASK", help="White is neither filled nor used, as land; repeatable."),
]
Inner = Annotated[bool, _mask("--inner", help="Fill no hole that touches a border.")]
MaxDistance = Annotated[
    float | None,
    _mask(metavar="PX", min=0, help="Fill nothing farther from any pixel that is observed."),
]
Window = Annotated[
    int | None,
    _output(
        "--window",
        metavar="PX",
        min=64,
        help="Complete a raster in windows of this side: it may be larger than memory.",
    ),
]
Part = Annotated[
    str,
    _output(
        "--part",
        metavar="K/N",
        help="The K-th of N parts of the pictures, or of the windows of one raster.",
    ),
]
