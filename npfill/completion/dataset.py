"""Completions of arrays of xarray: data sets of mean, std and samples, with coordinates kept."""

import sys

import numpy as np

from npfill.completion.completed import CompletedPicture
from npfill.completion.doubt import opened, std_of
from npfill.errors import InputError
from npfill.pictures.formats.arrays import refuse_array
from npfill.pictures.formats.grids import Array, Data, as_before, axes, of_deviation, planes
from npfill.pictures.meaning import lying_as
from npfill.pictures.nodata import VALID, none_by, unsigned
from npfill.pictures.picture import Picture


def is_labelled(thing: object) -> bool:
    """True of an array of xarray.

    Raises:
        InputError: It is a data set.
    """
    xarray = sys.modules.get("xarray")  # who gives one has imported it
    if xarray is not None and isinstance(thing, xarray.Dataset):
        name = next(iter(thing.data_vars), "sst")
        raise InputError(
            "a data set of xarray, not an array", f"choose a variable, as ds[{name!r}]"
        )
    return xarray is not None and isinstance(thing, xarray.DataArray)


def as_dataset(done: CompletedPicture, array: Array) -> Data:
    """A data set of `mean`, `std` if there is one, and `sample` along the dimension `realization`.

    Dimensions, coordinates and attributes are those of the array, and all have its unit, but none
    its packing, which would round them, and `std` no attributes of values. What stays open is NaN
    in `mean` and `sample`. Where the array has a `realization` of its own, that of samples is
    `npfill_sample`. Notes are lines of the attribute `npfill_notes`.

    Raises:
        InputError: Something may stay open, and the array has no NaN.
    """
    parts, form = {}, done.prepared.masked.picture.format
    _, turned = planes(array)

    def labelled(values: np.ndarray) -> Array:
        result = turned.copy(data=as_before(values, turned)).transpose(*array.dims)
        if {"scale_factor", "add_offset"} & array.encoding.keys():  # as packed, which it is not
            result.attrs = {key: each for key, each in array.attrs.items() if key not in VALID}
        result.encoding = {}
        return result

    def completed(values: np.ndarray) -> Array:
        return labelled(opened(done, done.filled(values), form).values)

    parts["mean"] = completed(done.mean)
    if done.std is not None:
        parts["std"] = labelled(std_of(done))
        parts["std"].attrs = of_deviation(array)
    drawn = [completed(each) for each in done.samples]
    xarray = sys.modules["xarray"]
    if drawn:
        free = "realization" not in {*array.dims, *array.coords}
        parts["sample"] = xarray.concat(drawn, "realization" if free else "npfill_sample")
    notes = (*done.prepared.notes, *done.notes)
    said = {"npfill_notes": "\n".join(notes)} if notes else {}
    return xarray.Dataset(parts, attrs={**array.attrs, **said})


def as_lies(masks: Array, array: Array, picture: Picture) -> Array:
    """A mask or several, of which arrays lie as what is completed does.

    Those of NumPy have its shape; the rows of those of xarray may run the other way.

    Args:
        masks: The masks.
        array: What is completed, which may be an array of xarray.
        picture: The same as a picture.

    Raises:
        InputError: One of xarray lies elsewhere, or is a data set.
    """
    if isinstance(masks, np.ma.MaskedArray) and masks.dtype != np.bool_ and is_labelled(array):
        masks = [masks.filled(0), np.ma.getmaskarray(masks)]  # both select
    if isinstance(masks, list | tuple):
        return [as_lies(mask, array, picture) for mask in masks]
    if is_labelled(array) and isinstance(masks, np.ndarray) and masks.shape == array.shape:
        masks = array.copy(data=np.ma.filled(masks, True))
    if not is_labelled(masks):
        return masks
    for dim, index in getattr(array, "indexes", {}).items():
        if dim in masks.indexes and masks.indexes[dim][::-1].equals(index):
            masks = masks.isel({dim: slice(None, None, -1)})
    values, turned = planes(masks)
    mask = Picture(values, "NPY", "a mask", info={"axes": axes(turned)}, is_data=True)
    values = lying_as(mask, picture).values
    return values[..., 0] if values.shape[-1] == 1 else values


def picture_of(array: Array, name: str) -> Picture:
    """The data of an array, of which NaN and what attributes name are missing, plane by plane.

    Raises:
        InputError: It has no numbers, or no rows and columns.
    """
    refuse_array(name, array.dtype, array.shape[-3:])
    if array.dtype == np.bool_:
        raise InputError(f"{name}: true and false are a mask, not a picture", "`mask` takes it")
    values, turned = planes(array)
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    missing, named = none_by(*unsigned(values, array.attrs))
    info = {"shape": values.shape, "axes": axes(turned), **named}
    return Picture(values, "NPY", name, info=info, is_data=True, missing=missing, stack=True)
