"""A file is opened, and whatever is wrong with it becomes one line that names it."""

import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from npfill.errors import InputError

MAX_PIXELS = 89_478_485  # Pillow's own: 256 MB of RGB
READABLE = "PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, .npy and .npz are read"
STDIN = Path("-")

# What libraries log of a broken file goes where the application wants it, not to stderr by default.
for _library in ("PIL", "tifffile"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


@contextmanager
def opened(path: Path, max_pixels: int) -> Iterator[BufferedReader | BytesIO]:
    """A file that can be sought in, for reading a picture; `-` is stdin.

    Raises:
        InputError: It is missing, or whatever decodes it within fails.
    """
    with refusals(str(path), max_pixels):
        stdin = path == STDIN
        if not stdin:
            _refuse_unreadable(path)
        with BytesIO(sys.stdin.buffer.read()) if stdin else path.open("rb") as file:
            yield file


def _refuse_unreadable(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: a folder, not a picture", "name one file in it")
    if path.exists() and not path.is_file():  # to open a pipe would wait for ever
        raise InputError(f"{path}: a pipe or device, not a picture", "copy it to a file first")


@contextmanager
def refusals(name: str, max_pixels: int) -> Iterator[None]:
    """Whatever decoders raise within becomes an `InputError` that names the file.

    Pillow refuses what has more than `max_pixels` pixels.
    """
    before = Image.MAX_IMAGE_PIXELS
    try:
        Image.MAX_IMAGE_PIXELS = max_pixels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{name}: no such file", "check the name and the folder") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: not a picture of a known format", READABLE) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        pixels = re.search(r"\((\d+) pixels\)", str(error))
        raise _too_large(name, int(pixels[1]) if pixels else 0, max_pixels) from None
    except Exception as error:  # broken files make decoders raise nearly anything
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            f"{name}: cannot be read ({reason or type(error).__name__})",
            "open it in a viewer and save it again",
        ) from None
    finally:
        Image.MAX_IMAGE_PIXELS = before


def refuse_bomb(name: str, shape: tuple[int, ...], max_pixels: int) -> None:
    """Refuse what is too large before it is decoded.

    Args:
        name: What messages call it.
        shape: "height width channel" as the file claims it. Four channels count as one pixel,
            so that data of many channels are bounded, too.
        max_pixels: The most pixels that are read.

    Raises:
        InputError: It is too large.
    """
    height, width, channels = shape
    pixels = height * width * max(1, -(-channels // 4))
    if pixels > max_pixels:
        raise _too_large(name, pixels, max_pixels)


def _too_large(name: str, pixels: int, max_pixels: int) -> InputError:
    return InputError(
        f"{name}: {pixels:,} pixels, more than the {max_pixels:,} that are read",
        f"crop it or scale it down; --max-pixels {pixels} if it is what it claims to be",
    )
