"""The options of grids of numbers."""

from typing import Annotated

from npfill.cli.options import of_mask, of_model, of_output

NoData = Annotated[
    float | None,
    of_model(
        "--nodata",
        metavar="VALUE",
        help="This value is missing, as 0 in depth maps; the file is data, not a photograph.",
    ),
]
Variable = Annotated[
    str, of_model("--variable", metavar="NAME", help="The variable of a netCDF file or zarr store.")
]
Log = Annotated[bool, of_model("--log", help="Complete the logarithm of data, all above 0.")]
Clip = Annotated[
    bool, of_model("--clip", help="Fill data with no value beyond those that were observed.")
]
Kind = Annotated[
    str,
    of_model(
        metavar="KIND",
        help="What values are: auto; data: numbers in any unit; classes: labels, without a mean; "
        "angle, or angle:TURN: 0 and TURN, by default 360, are one.",
    ),
]
Wrap = Annotated[
    str, of_model(metavar="columns", help="The first column follows the last, as at the date line.")
]
KeepOut = Annotated[
    list[str] | None,
    of_mask(metavar="MASK", help="White is neither filled nor used, as land; repeatable."),
]
Inner = Annotated[bool, of_mask("--inner", help="Fill no hole that touches a border.")]
MaxDistance = Annotated[
    float | None,
    of_mask(metavar="PX", min=0, help="Fill nothing farther from any pixel that is observed."),
]
Window = Annotated[
    int | None,
    of_output(
        "--window",
        metavar="PX",
        min=64,
        help="Complete a raster in windows of this side: it may be larger than memory.",
    ),
]
Part = Annotated[
    str,
    of_output(
        "--part",
        metavar="K/N",
        help="The K-th of N parts of the pictures, or of the windows of one raster.",
    ),
]
