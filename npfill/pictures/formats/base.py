"""The contract of a file format, and the refusals that formats share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader, BytesIO

from npfill.errors import InputError
from npfill.pictures.picture import Picture

File = BufferedReader | BytesIO
HEADER = 4096  # bytes, enough to know a format, its depth and its codec by


def _never(file: File, name: str) -> bool:
    del file, name
    return False


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format that pictures or data are read from and written to.

    Attributes:
        name: The value of `Picture.format`, and the key in `FORMATS`.
        label: The format's name in texts, such as WebP or .npy.
        suffixes: Lower-case suffixes with their dot, the usual one first.
        sniff: Recognises a file by its first `HEADER` bytes.
        read: Decodes a file, open at its start, given a name for messages and the most pixels that
            are read; raises an `InputError`, or whatever its decoder raises.
        write: Encodes a picture of this format, given metadata entries, which a format may drop;
            equal arguments give equal bytes.
        is_data: Files of this format never hold a picture, only measurements.
        holds_data: True if a file of this format, open at its start, holds measurements rather than
            a picture; raises as `read` does.
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    read: Callable[[File, str, int], Picture]
    write: Callable[[Picture, Mapping[str, str]], bytes]
    is_data: bool = False
    holds_data: Callable[[File, str], bool] = _never


class UnknownFormatError(Exception):
    """A file of no format in the table; the message describes it."""


def refuse_bomb(name: str, shape: tuple[int, ...], max_pixels: int) -> None:
    """Refuse a picture that is too large, before it is decoded.

    Args:
        name: The picture's name in messages.
        shape: "height width channel" as the file claims it. Four channels count as one pixel,
            so that data of many channels are bounded, too.
        max_pixels: The most pixels that are read.

    Raises:
        InputError: It is too large.
    """
    height, width, channels = shape
    pixels = height * width * max(1, -(-channels // 4))
    if pixels > max_pixels:
        raise InputError(
            f"{name}: {pixels:,} pixels, more than the {max_pixels:,} that are read",
            f"crop it or scale it down; `max_pixels={pixels}` if it is what it claims to be",
        )
