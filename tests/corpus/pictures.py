"""Pictures as cameras, scanners, the web and people with bad intentions make them."""

import io
import struct
import zipfile
import zlib
from functools import partial

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from tests.corpus.nasty import (
    DONE,
    HEIGHT,
    INPUT,
    SIGNATURE,
    WIDTH,
    Nasty,
    chunk,
    cut,
    header,
    noise,
    png,
    rows,
    saved,
)

_CUT = "cannot be read"
NO_PICTURE = "not a picture of a known format"
_TOO_LARGE = "more than "
_RGB_ROWS = rows(3 * WIDTH)


def turned(kind: str, orientation: int) -> bytes:
    """A picture that is shown turned."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    return saved(noise(), kind, exif=exif)


def animated(kind: str) -> bytes:
    """Three different frames or pages."""
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "green", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def interlaced() -> bytes:
    """RGB in the seven passes of Adam7."""
    values = np.asarray(noise())
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    passes = [values[y::down, x::right] for x, y, right, down in (*starts, (0, 1, 1, 2))]
    lines = b"".join(b"\0" + row.tobytes() for part in passes for row in part if row.size)
    return png(header(interlace=1), chunk(b"IDAT", zlib.compress(lines)))


def wrong_checksum(kind: bytes) -> bytes:
    """A PNG file whose first chunk of a kind has another checksum than it says."""
    content = bytearray(png(header(), _RGB_ROWS))
    at = content.index(kind) - 4
    content[at + 8 + int.from_bytes(content[at : at + 4], "big")] ^= 0xFF
    return bytes(content)


def bit_rot() -> bytes:
    """A PNG file with one wrong byte among its pixels, which random bytes leave uncompressed."""
    content = bytearray(png(header(), _RGB_ROWS))
    content[content.index(b"IDAT") + 30] ^= 0xFF
    return bytes(content)


def with_profile(kind: str, profile: bytes) -> bytes:
    """A picture with what is called a colour profile."""
    return saved(noise(), kind, icc_profile=profile)


def without_segment(marker: int) -> bytes:
    """A JPEG file without its segments of a kind."""
    content = saved(noise(), "JPEG")
    while (at := content.find(bytes([0xFF, marker]))) >= 0:
        content = content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4], "big") :]
    return content


def many_comments() -> bytes:
    """A JPEG file with 4 MB of comments."""
    content, comment = saved(noise(), "JPEG"), b"\xff\xfe" + struct.pack(">H", 65_535)
    return content[:2] + (comment + b"x" * 65_533) * 64 + content[2:]


def tiff(*tags: tuple[int, int, int, int], after: bytes = b"", following: int = 0) -> bytes:
    """A TIFF file with one directory: tags as code, type, count and value."""
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", following) + after


def grey_tiff(width: int, height: int, pixels: bytes, following: int = 0) -> bytes:
    """A TIFF file of 8-bit grey, of any claimed size."""
    at = 8 + 2 + 8 * 12 + 4
    return tiff(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, at), (277, 3, 1, 1), (279, 4, 1, len(pixels)),
        after=pixels, following=following,
    )  # fmt: skip


def gif(width: int, height: int) -> bytes:
    """A GIF file of that size with nothing in its one frame."""
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + frame + b";"


def bmp(width: int, height: int) -> bytes:
    """The header of a BMP file of 24 bits with no pixels behind it."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def zipped() -> bytes:
    """A zip archive with a picture in it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("photo.png", saved(noise(), "PNG"))
    return content.getvalue()


def transparent(mode: str) -> bytes:
    """A PNG file in which one colour, or one entry of the palette, is transparent."""
    image = noise().convert(mode)
    return saved(image, "PNG", transparency=image.getpixel((0, 0)))


def _whole(kind: str) -> bytes:
    return saved(noise(64, 64), kind)


_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "TIFF": "tif", "WEBP": "webp", "GIF": "gif", "BMP": "bmp"}
_PARTS = {"tenth": 0.1, "half": 0.5, "most": 0.95}

PICTURES = {
    f"cut-{part}.{suffix}": Nasty(
        partial(lambda kind, share: cut(_whole(kind), share), kind, share),
        INPUT,
        # Of a GIF file less than its palette is left.
        NO_PICTURE if (kind, part) == ("GIF", "tenth") else _CUT,
    )
    for kind, suffix in _SUFFIXES.items()
    for part, share in _PARTS.items()
} | {
    # No pictures at all.
    "empty.png": Nasty(lambda: b"", INPUT, "an empty file"),
    "one-byte.png": Nasty(lambda: b"\x89", INPUT, NO_PICTURE),
    "zeros.png": Nasty(lambda: bytes(1000), INPUT, NO_PICTURE),
    "signature.png": Nasty(lambda: SIGNATURE, INPUT, NO_PICTURE),
    "text.png": Nasty(lambda: b"not a picture", INPUT, NO_PICTURE),
    "pdf.png": Nasty(lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF", INPUT, NO_PICTURE),
    "eps.png": Nasty(
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 5\nshowpage", INPUT, NO_PICTURE
    ),
    "svg.png": Nasty(
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="6" height="5"/>', INPUT, NO_PICTURE
    ),
    "html.jpg": Nasty(lambda: b"<!doctype html><title>404</title>", INPUT, NO_PICTURE),
    "zip.png": Nasty(zipped, INPUT, "are read"),
    "icon.png": Nasty(lambda: saved(noise(16, 16), "ICO"), INPUT, NO_PICTURE),
    # Larger than they look.
    "bomb.png": Nasty(lambda: png(header(60_000, 60_000)), INPUT, _TOO_LARGE),
    "bomb.gif": Nasty(lambda: gif(65_535, 65_535), INPUT, _TOO_LARGE),
    "bomb.bmp": Nasty(lambda: bmp(60_000, 60_000), INPUT, _TOO_LARGE),
    "bomb.tif": Nasty(lambda: grey_tiff(60_000, 60_000, b""), INPUT, _TOO_LARGE),
    "largest-numbers.png": Nasty(lambda: png(header(2**31 - 1, 2**31 - 1)), INPUT, _TOO_LARGE),
    "text-bomb.png": Nasty(
        lambda: png(header(), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7))), _RGB_ROWS),
        INPUT,
        _CUT,
    ),
    # Broken PNG files.
    "checksum-of-header.png": Nasty(partial(wrong_checksum, b"IHDR"), INPUT, NO_PICTURE),
    "checksum-of-pixels.png": Nasty(partial(wrong_checksum, b"IDAT"), DONE, ""),
    "bit-rot.png": Nasty(bit_rot, INPUT, _CUT),
    "no-pixels.png": Nasty(lambda: png(header()), INPUT, _CUT),
    "no-header.png": Nasty(lambda: png(_RGB_ROWS), INPUT, NO_PICTURE),
    "no-zlib.png": Nasty(lambda: png(header(), chunk(b"IDAT", bytes(99))), INPUT, _CUT),
    "few-rows.png": Nasty(lambda: png(header(), rows(3 * WIDTH, 2)), DONE, ""),
    "many-rows.png": Nasty(lambda: png(header(), rows(3 * WIDTH, 99)), DONE, ""),
    "unknown-filter.png": Nasty(lambda: png(header(), rows(3 * WIDTH, filtered=9)), INPUT, _CUT),
    "unknown-colours.png": Nasty(lambda: png(header(colours=5), _RGB_ROWS), INPUT, NO_PICTURE),
    "no-width.png": Nasty(lambda: png(header(width=0), _RGB_ROWS), INPUT, NO_PICTURE),
    "no-palette.png": Nasty(lambda: png(header(colours=3), rows(WIDTH)), INPUT, _CUT),
    "short-palette.png": Nasty(
        lambda: png(header(colours=3), chunk(b"PLTE", bytes(range(6))), rows(WIDTH)),
        DONE,
        "palette",
    ),
    "odd-palette.png": Nasty(
        lambda: png(header(colours=3), chunk(b"PLTE", b"12345"), rows(WIDTH)), DONE, "palette"
    ),
    "trailing-rubbish.png": Nasty(lambda: saved(noise(), "PNG") + b"rubbish" * 99, DONE, ""),
    "also-a-zip.png": Nasty(lambda: saved(noise(), "PNG") + zipped(), DONE, ""),
    # Other broken files.
    "no-quantisation.jpg": Nasty(partial(without_segment, 0xDB), INPUT, _CUT),
    "no-frame.jpg": Nasty(partial(without_segment, 0xC0), INPUT, NO_PICTURE),
    "many-comments.jpg": Nasty(many_comments, DONE, ""),
    "own-follower.tif": Nasty(lambda: grey_tiff(WIDTH, HEIGHT, bytes(30), 8), DONE, ""),
    "no-tags.tif": Nasty(tiff, INPUT, NO_PICTURE),
    "far-away.tif": Nasty(lambda: b"II*\0\xff\xff\xff\xff", INPUT, "far-away.tif: "),
    "no-contents.gif": Nasty(lambda: gif(WIDTH, HEIGHT), INPUT, _CUT),
    "upside-down.bmp": Nasty(lambda: bmp(WIDTH, -HEIGHT) + bytes(100), DONE, ""),
    "no-contents.webp": Nasty(lambda: b"RIFF\x04\0\0\0WEBP", INPUT, NO_PICTURE),
    # Whole, and seldom seen.
    "one-pixel.png": Nasty(lambda: saved(noise(1, 1), "PNG"), DONE, "everything is selected"),
    "one-column.png": Nasty(lambda: saved(noise(5000, 1), "PNG"), DONE, ""),
    "one-row.png": Nasty(lambda: saved(noise(1, 5000), "PNG"), DONE, ""),
    "interlaced.png": Nasty(interlaced, DONE, ""),
    "progressive.jpg": Nasty(lambda: saved(noise(), "JPEG", progressive=True), DONE, ""),
    "1-bit.png": Nasty(lambda: png(header(depth=1, colours=0), rows(1)), DONE, "1-bit"),
    "2-bit-grey.png": Nasty(lambda: png(header(depth=2, colours=0), rows(2)), DONE, ""),
    "16-bit-grey.png": Nasty(lambda: png(header(depth=16, colours=0), rows(12)), DONE, ""),
    "16-bit-rgb.png": Nasty(lambda: png(header(depth=16), rows(36)), DONE, ""),
    "16-bit-rgba.png": Nasty(lambda: png(header(depth=16, colours=6), rows(48)), DONE, ""),
    "grey-alpha.png": Nasty(lambda: saved(noise().convert("LA"), "PNG"), DONE, ""),
    "alpha.webp": Nasty(lambda: saved(noise(channels=4), "WEBP"), DONE, ""),
    "transparent-colour.png": Nasty(partial(transparent, "RGB"), DONE, "alpha channel"),
    "transparent-palette.png": Nasty(partial(transparent, "P"), DONE, "palette"),
    "inks.jpg": Nasty(lambda: saved(noise().convert("CMYK"), "JPEG"), INPUT, "CMYK"),
    "laboratory.tif": Nasty(lambda: saved(Image.new("LAB", (WIDTH, HEIGHT)), "TIFF"), INPUT, "LAB"),
    "animated.gif": Nasty(partial(animated, "GIF"), DONE, "only the first frame is used"),
    "animated.webp": Nasty(partial(animated, "WEBP"), DONE, "only the first frame is used"),
    "animated.png": Nasty(partial(animated, "PNG"), DONE, "only the first frame is used"),
    "pages.tif": Nasty(partial(animated, "TIFF"), DONE, "only the first is used"),
    "turned.jpg": Nasty(partial(turned, "JPEG", 6), DONE, "turned upright"),
    "turned.tif": Nasty(partial(turned, "TIFF", 8), DONE, "turned upright"),
    "turned-nowhere.jpg": Nasty(partial(turned, "JPEG", 9), DONE, ""),
    "no-exif.jpg": Nasty(lambda: saved(noise(), "JPEG", exif=b"Exif\0\0rubbish"), DONE, ""),
    "no-profile.png": Nasty(partial(with_profile, "PNG", b"rubbish"), DONE, ""),
    "no-profile.jpg": Nasty(partial(with_profile, "JPEG", bytes(200)), DONE, ""),
    "huge-profile.jpg": Nasty(partial(with_profile, "JPEG", b"x" * 3_000_000), DONE, "profile"),
    "huge-text.png": Nasty(
        lambda: png(header(), chunk(b"tEXt", b"a\0" + b"x" * 900_000), _RGB_ROWS), DONE, ""
    ),
    "jpeg-called.png": Nasty(lambda: saved(noise(), "JPEG"), DONE, ""),
}
