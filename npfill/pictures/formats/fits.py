"""FITS files: images and cubes, through astropy, with all that their headers say."""

import io
from collections.abc import Mapping, Sequence
from types import ModuleType
from warnings import catch_warnings

import numpy as np

from npfill.errors import InputError
from npfill.package import imported
from npfill.pictures.nodata import is_no_data
from npfill.pictures.picture import File, Picture, refuse_bomb
from npfill.pictures.scales import packed, unpacked

MAGIC = b"SIMPLE  ="


def read(file: File, name: str, max_pixels: int) -> Picture:
    """Read the first image of a FITS file; planes of a cube come last.

    Raises:
        InputError: It has no image, or more than three axes, or astropy is not installed.
    """
    content = file.read()
    with _fits(name).open(io.BytesIO(content), do_not_scale_image_data=True) as units:
        images = [at for at, unit in enumerate(units) if unit.is_image and unit.header["NAXIS"] > 1]
        if not images:
            raise InputError(f"{name}: a FITS file without an image", "give one that has an image")
        header = units[images[0]].header
        sides = [header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1)]
        if len([side for side in sides[:-2] if side > 1]) > 1 or 0 in sides:
            shown = " x ".join(map(str, sides))
            raise InputError(f"{name}: an image of {shown} values", "save one image or cube")
        refuse_bomb(name, (sides[-2], sides[-1], int(np.prod(sides[:-2]))), max_pixels)
        values = units[images[0]].data
        notes = ("several images: only the first is used",) if len(images) > 1 else ()
        blank, scale, zero = header.get("BLANK"), header.get("BSCALE", 1), header.get("BZERO", 0)
    values = _planes(values, sides)
    blank = None if values.dtype.kind == "f" else blank  # it is of integers alone
    missing = np.isnan(values) if values.dtype.kind == "f" else is_no_data(values, blank)
    info: dict[str, object] = {"content": content, "unit": images[0], "sides": sides}
    half = 2 ** (8 * values.itemsize - 1) * (-1 if values.dtype.kind == "u" else 1)
    if values.dtype.kind != "f" and (scale, zero) == (1, half):
        values, blank = _of_other_sign(values), None if blank is None else blank + half
        scale, zero = 1, 0
    info |= {} if blank is None else {"no_data": blank}
    why, told = "FITS files always are", (values, "FITS", name, notes, info)
    picture = Picture(*told, is_data=True, why=why, missing=missing, stack=True)
    return unpacked(picture, scale, zero)


def write(picture: Picture, _text: Mapping[str, str]) -> bytes:
    """Encode a FITS file as it came, in which the image has other values."""
    info, fits = picture.info, _fits(picture.name)
    result = io.BytesIO()
    content = io.BytesIO(info["content"])
    with catch_warnings(action="ignore"), fits.open(content, do_not_scale_image_data=True) as units:
        unit = units[info["unit"]]
        before = _planes(unit.data, info["sides"])
        values = packed(picture, before)
        if {values.dtype.kind, before.dtype.kind} == {"i", "u"}:
            values = _of_other_sign(values)
        values = np.moveaxis(values, -1, 0).reshape(info["sides"])
        if info.get("deviation"):
            header = unit.header.copy()
            for key in ("BLANK", "BSCALE", "BZERO", "DATAMIN", "DATAMAX", "DATASUM", "CHECKSUM"):
                header.remove(key, ignore_missing=True)
            kind = fits.PrimaryHDU if info["unit"] == 0 else fits.ImageHDU
            units[info["unit"]] = kind(values, header)
        else:
            if isinstance(unit, fits.CompImageHDU) and values.dtype.kind == "f":
                # Compressed as it was, every value would be rounded anew.
                how = {"compression_type": "GZIP_2", "quantize_level": 0}
                units[info["unit"]] = unit = fits.CompImageHDU(values, unit.header, **how)
            else:
                unit.data[...] = values
            if "DATASUM" in unit.header:
                unit.add_checksum()
        units.writeto(result, output_verify="silentfix")
    return result.getvalue()


def _planes(data: np.ndarray, sides: Sequence[int]) -> np.ndarray:
    """The numbers of an image or cube as "height width plane", in this machine's byte order."""
    planes = np.moveaxis(data.reshape(-1, *sides[-2:]), 0, -1)
    return np.ascontiguousarray(planes.astype(planes.dtype.newbyteorder("=")))


def _of_other_sign(values: np.ndarray) -> np.ndarray:
    """Integers without a sign of those with one, or back; the least are the least."""
    size = values.itemsize
    bits = values.view(f"u{size}") ^ np.array(1 << (8 * size - 1), f"u{size}")
    return bits.view(f"i{size}" if values.dtype.kind == "u" else f"u{size}")


def _fits(name: str) -> ModuleType:
    return imported("astropy.io.fits", f"{name}: FITS", "fits", InputError, "astropy")
