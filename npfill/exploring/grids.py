"""A grid that is measured in part, as an explorer of it: from a file, or empty by its size."""

from pathlib import Path

import numpy as np

from npfill import zoo
from npfill.completion.hole import MaskOptions, hole_of
from npfill.errors import InputError, UsageError
from npfill.exploring.explorer import Explorer
from npfill.notes import News, about
from npfill.pictures.hole import from_mask
from npfill.pictures.picture import Picture
from npfill.pictures.read import MAX_PIXELS, read_mask, read_picture


def explorer_of(
    file: Path | None,
    shape: str | None,
    masking: MaskOptions,
    within: list[tuple[Path, bool]],
    model: str = "auto",
    seed: int = 0,
    device: str = "auto",
    max_pixels: int = MAX_PIXELS,
    variable: str = "",
) -> tuple[Explorer, tuple[str, ...]]:
    """An explorer of a grid, told what is measured of it; and notes on the file.

    Args:
        file: A picture or data; what is NaN or masked is not measured. None for an empty grid.
        shape: Width and height of an empty grid, as "512x256".
        masking: The options that select what is not measured of a picture.
        within: Masks, each with True if its white may be measured, False if it may not.
        model: As of `Explorer`, like the rest; `auto` of a photograph is the model for those.
        seed: The seed.
        device: The device.
        max_pixels: The most pixels of a file that is read.
        variable: The variable of a netCDF file or zarr store.

    Raises:
        UsageError: There is neither a file nor a size, or both; or a size and a mask of a file.
        InputError: A file cannot be used, or no pixel may be measured.
    """
    if (file is None) == (shape is None):
        raise UsageError("a file or `shape` says what the grid is", "SCAN.npy, or `shape=512x512`")
    if file is None:
        if masking.masks or masking.box:
            raise UsageError(
                "`mask` and `box` are of a file, and of `shape` nothing is measured",
                "`within` and `not_within` say where to measure",
            )
        picture = Picture(
            np.full((*_sides(shape or ""), 1), np.nan), "NPY", "the grid", is_data=True
        )
        lacking = np.ones(picture.size, dtype=bool)
    else:
        picture = read_picture(file, max_pixels, damaged=masking.damaged, variable=variable)
        lacking = picture.lacking
    if picture.colours not in {1, 3}:
        raise InputError(
            f"{picture.name}: {picture.colours} channels or times; one or three can be explored",
            "save one of them as a file of its own",
        )
    allowed = np.ones(picture.size, dtype=bool)
    try:
        if masking.masks or masking.box:
            lacking = hole_of(masking, picture, max_pixels).selected
        for path, inside in within:  # what white means is said by the option
            white = from_mask(read_mask(path, max_pixels), picture, inverted=True).selected
            allowed &= white if inside else ~white
    except InputError as error:  # whose hint may be an option of `npfill complete` alone
        if "_mask=" not in error.hint and "`mask_" not in error.hint:
            raise
        hint = "save it in the size of the grid, white where it selects and else black"
        raise InputError(str(error), hint) from None
    if not allowed.any():
        raise InputError("the masks leave no pixel to measure", "`within` keeps what is white")
    model = zoo.DEFAULT if model == zoo.AUTO and not picture.is_data else model
    explorer = Explorer(
        (*picture.size, picture.colours), model, within=allowed, seed=seed, device=device
    )
    rows, columns = np.nonzero(~lacking)
    explorer.tell(rows, columns, picture.values[rows, columns, : picture.colours])
    whole = News("nothing of it is missing: NaN, `mask` or `box` say what is not measured yet")
    notes = picture.notes if lacking.any() else (*picture.notes, whole)
    return explorer, tuple(about(picture.name, note) for note in notes)


def _sides(shape: str) -> tuple[int, int]:
    """Height and width from "width x height"."""
    words = shape.lower().split("x")
    if len(words) != 2 or not all(w.isdecimal() and len(w) < 6 and int(w) for w in words):
        raise UsageError(f"`shape={shape}`: no width and height", "such as 512x512")
    return int(words[1]), int(words[0])
