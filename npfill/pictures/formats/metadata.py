"""What a file says of its picture beside the pixels: read, turned with them, and written again."""

import io
import re
import struct
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from PIL import Image, PngImagePlugin, TiffImagePlugin
from PIL.ExifTags import IFD, Base

from npfill.pictures.damage import chunks, refuse_cut
from npfill.pictures.picture import File, Info

PARTS = {
    "icc_profile": "colour profile",
    "colours": "gamma and primaries",
    "exif": "EXIF",
    "dpi": "resolution",
    "xmp": "XMP",
    "iptc": "IPTC",
    "comment": "comment",
    "text": "text",
}
"""The parts of `Picture.info`, and their names in texts."""

OF_LOOKS = ("icc_profile", "colours")  # without which colours would look different

LARGEST = PngImagePlugin.MAX_TEXT_CHUNK  # bytes of a part: what is larger in a PNG is not read
_LARGEST_DPI = 1e6
PNG_HEADER = 33  # bytes of a PNG file to the end of its first chunk, which is always the header
_COLOURS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
# Own entries tell of another completion, EXIF and XMP are parts of their own, and a preview,
# which Photoshop's resources have, too, shows the picture as it was.
_OWN = re.compile(rb"npfill_|Thumb::|XML:com\.adobe\.xmp\0|Raw profile type (exif|xmp|APP1|8bim)\0")
_XMP_IN_PNG = "XML:com.adobe.xmp"
_ORIENTATION = re.compile(rb'\s?tiff:Orientation="\d"|<tiff:Orientation>\d</tiff:Orientation>')
PREVIEW_IN_XMP = re.compile(rb"([^/](?:x[am]pGImg:image|GImage:Data)(?:>|=[\"']))[^<>\"']+")
# XMP that says where in the file further pictures and films are, which no copy has.
_OF_FURTHER = (b"hdrgm:", b"GContainer", b"photos/1.0/container/", b"GCamera:MicroVideo")
_IPTC = 0x0404  # the resource of Photoshop's, and in a TIFF file the tag, that hold it
_IPTC_IN_TIFF, XMP_IN_TIFF = 33723, 700
# All that tifffile says in the description of a file, unless told more: how its pages are stacked.
_SHAPE = re.compile(r'\{("axes": "\w*", )?"shape": \[[\d, ]*\](, "axes": "\w*")?\}')
# The first directory of a TIFF file mostly describes the storage of its pixels; these, its subject.
DESCRIBING = {
    Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist,
    Base.Copyright, IFD.Exif, IFD.GPSInfo,
}  # fmt: skip


def kept(image: Image.Image, *, upright: bool = True, turned: bool = False) -> dict[str, object]:
    """The parts that a copy of an image keeps; those that a file of PNG has alone are not among it.

    The profile of inks is left out, as a copy is in RGB; the thumbnail, as Pillow drops it; and the
    orientation, if the copy is upright.

    Args:
        image: The image, as Pillow loaded it.
        upright: The copy has been turned by the orientation.
        turned: Its height has become its width.
    """
    result: dict[str, object] = {}
    profile = image.info.get("icc_profile") if image.mode != "CMYK" else None
    if profile and len(profile) <= LARGEST:
        result["icc_profile"] = profile
    dpi = tuple(float(value) for value in image.info.get("dpi", (0, 0)))
    if image.format == "TIFF" and 282 not in image.tag_v2:  # type: ignore[attr-defined]
        dpi = (0, 0)  # Pillow says 1 where the file says nothing
    if all(0 < value < _LARGEST_DPI for value in dpi):
        result["dpi"] = dpi[::-1] if turned else dpi
    with suppress(Exception):  # an unreadable EXIF block must not cost the picture
        exif = exif_bytes(
            image.getexif(), of_tiff=image.format == "TIFF", upright=upright, turned=turned
        )
        if exif:
            result["exif"] = exif
    with suppress(Exception):  # nor any other part
        result |= _described(image, upright=upright)
    return result


def kept_of_tiff(
    file: File, tags: Mapping[int, Any], *, turned: bool = False, is_data: bool = False
) -> dict[str, object]:
    """The parts that a copy of the first page of a TIFF file keeps, whatever its layout.

    Args:
        file: The file.
        tags: The tags of the page.
        turned: Its height has become its width.
        is_data: It is data, whose copy has all other tags as they are.
    """
    result: dict[str, object] = {}
    for part, tag in (("icc_profile", 34675), ("xmp", XMP_IN_TIFF), ("iptc", _IPTC_IN_TIFF)):
        content = tags.get(tag)
        if isinstance(content, bytes) and 0 < len(content) <= LARGEST:
            result[part] = clean_xmp(content) if part == "xmp" else content
    with suppress(Exception):  # it may be no number
        unit = {2: 1.0, 3: 2.54}.get(tags.get(296, 2), 0.0)
        dpi = (float(tags[282]) * unit, float(tags[283]) * unit)
        if all(0 < value < _LARGEST_DPI for value in dpi):
            result["dpi"] = dpi[::-1] if turned else dpi
    with suppress(Exception):  # an unreadable EXIF block must not cost the picture
        exif = Image.Exif()
        file.seek(0)
        exif.load_from_fp(file)
        for tag in set(exif) - {IFD.Exif, IFD.GPSInfo} if is_data else ():
            del exif[tag]
        if content := exif_bytes(exif, of_tiff=True, upright=True, turned=turned):
            result["exif"] = content
    return result


def exif_bytes(exif: Image.Exif, *, of_tiff: bool, upright: bool, turned: bool) -> bytes:
    """An EXIF block without what describes stored pixels; empty if nothing is left of it."""
    dropped = set(exif) - DESCRIBING if of_tiff else {Base.Orientation} & set(exif)
    if _SHAPE.fullmatch(str(exif.get(Base.ImageDescription, ""))):
        dropped.add(Base.ImageDescription)
    for tag in dropped if upright else ():
        del exif[tag]
    if turned and IFD.Exif in exif:
        shot, across, down = exif.get_ifd(IFD.Exif), Base.ExifImageWidth, Base.ExifImageHeight
        if across in shot and down in shot:
            shot[across], shot[down] = shot[down], shot[across]
    exif.bigtiff = False  # a block of its own is none
    return exif.tobytes() if exif else b""


def clean_xmp(xmp: object, *, upright: bool = True) -> bytes:
    """XMP without previews, nor, if the copy is upright, orientation; empty if of further files."""
    content = xmp.encode() if isinstance(xmp, str) else bytes(xmp)  # type: ignore[call-overload]
    if len(content) > LARGEST or any(word in content for word in _OF_FURTHER):
        return b""
    content = PREVIEW_IN_XMP.sub(rb"\1", content.rstrip(b"\0"))
    return _ORIENTATION.sub(b"", content) if upright else content


def notes_on(info: Info) -> list[str]:
    """Notes on parts of an image of Pillow's that a copy never keeps."""
    notes = []
    if len(info.get("icc_profile") or b"") > LARGEST:
        notes.append("its colour profile is left out: as large a one in a PNG file is not read")
    xmp = info.get("xmp")
    if xmp and not clean_xmp(xmp):
        further = "too long, or tells of further pictures and films in it, which are not read"
        notes.append(f"its XMP is left out: it is {further}")
    return notes


def _described(image: Image.Image, *, upright: bool) -> dict[str, object]:
    """XMP, IPTC and comment."""
    xmp = image.info.get("xmp") or image.info.get(_XMP_IN_PNG) or b""
    iptc = image.info.get("photoshop", {}).get(_IPTC)
    if image.format == "TIFF":
        iptc = image.tag_v2.get(_IPTC_IN_TIFF)  # type: ignore[attr-defined]
    xmp, comment = xmp and clean_xmp(xmp, upright=upright), image.info.get("comment")
    parts = {"xmp": xmp, "iptc": iptc, "comment": comment}
    return {part: each for part, each in parts.items() if isinstance(each, bytes) and each}


def of_png(file: File, *, turned: bool = False) -> dict[str, object]:
    """The chunks of a PNG file that say how its levels look, and its text, as they stand.

    Raises:
        OSError: A part of its pixels was lost.
    """
    looks: dict[bytes, bytes] = {}
    text, name, sound = b"", b"", True
    for name, chunk, is_right in chunks(file):
        sound &= is_right or name != b"IDAT"
        if not is_right or len(chunk) > LARGEST:
            continue
        if name in _TEXT:
            text += b"" if _OWN.match(chunk[8:]) else chunk
        elif name in _COLOURS or (name == b"pHYs" and chunk[-5] == 0 and not turned):
            looks.setdefault(name, chunk)  # those pixels are not square
    if not sound or name != b"IEND":
        refuse_cut(file)
    parts = {"colours": b"".join(looks.values()), "text": text}
    return {part: content for part, content in parts.items() if content}


def png_of(image: Image.Image, text: Mapping[str, str]) -> bytes:
    """A PNG file of an image with metadata entries, and all parts of its `info`."""
    info, content = image.info, io.BytesIO()
    entries = PngImagePlugin.PngInfo()
    for keyword, entry in text.items():
        entries.add_text(keyword, entry)
    if "xmp" in info:
        entries.add_itxt(_XMP_IN_PNG, bytes(info["xmp"]).decode("utf-8", "replace"))
    if "comment" in info:
        comment = bytes(info["comment"]).decode("latin-1")
        with suppress(UnicodeError):
            comment = comment.encode("latin-1").decode("utf-8")
        entries.add_text("Comment", comment)
    kept = {part: info[part] for part in ("icc_profile", "exif", "dpi") if part in info}
    image.save(content, "PNG", pnginfo=entries, **kept)
    # What Pillow does not write comes behind the header.
    png, more = content.getvalue(), bytes(info.get("colours", b"")) + bytes(info.get("text", b""))
    return png[:PNG_HEADER] + more + png[PNG_HEADER:]


def fitting(info: Info, keeps: Collection[str], kind: str) -> dict[str, object]:
    """The parts that a file of a format keeps; of JPEG, those that fit in a segment of 64 KiB."""
    long = {p for p in ("exif", "xmp", "iptc", "comment") if len(info.get(p, b"")) > 65_504}
    return {p: info[p] for p in keeps if p in info and (kind != "JPEG" or p not in long)}


def options(info: Info, keeps: Collection[str], kind: str) -> dict[str, object]:
    """The options of Pillow's encoder that write the parts that a format keeps."""
    given = fitting(info, keeps, kind)
    iptc = given.pop("iptc", None)
    if kind == "TIFF":
        given.pop("exif", None)
    if kind == "JPEG" and isinstance(iptc, bytes):
        resource = b"8BIM" + _IPTC.to_bytes(2, "big") + bytes(2) + len(iptc).to_bytes(4, "big")
        block = b"Photoshop 3.0\0" + resource + iptc + bytes(len(iptc) % 2)
        given["extra"] = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    return given


def in_tiff(tiff: bytes, info: Info) -> bytes:
    """A TIFF file with EXIF, XMP and IPTC; a new first directory points to them and to the pixels.

    Pillow writes no EXIF into compressed files, and tifffile none at all.
    """
    exif, order = Image.Exif(), "<" if tiff[:2] == b"II" else ">"
    exif.load(bytes(info.get("exif", b"")))
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=tiff[:2])
    for tag in exif:
        directory[tag] = exif.get_ifd(tag) if tag in (IFD.Exif, IFD.GPSInfo) else exif[tag]
    for tag, part in ((XMP_IN_TIFF, "xmp"), (_IPTC_IN_TIFF, "iptc")):
        if part in info:
            directory[tag] = info[part]
    if not directory or tiff[2:4] not in {b"*\0", b"\0*"}:
        return tiff
    (first,) = struct.unpack(f"{order}I", tiff[4:8])
    content = tiff + bytes(len(tiff) % 2)
    content += (block := directory.tobytes(len(content)))
    entries = {
        entry[:2]: entry
        for source, at in ((tiff, first), (block, 0))
        for entry in _entries(source, at, order)
    }
    at, behind = len(content) + len(content) % 2, first + 2 + 12 * len(_entries(tiff, first, order))
    ordered = sorted(entries.values(), key=lambda entry: struct.unpack(f"{order}H", entry[:2]))
    whole = struct.pack(f"{order}H", len(ordered)) + b"".join(ordered) + tiff[behind : behind + 4]
    return content[:4] + struct.pack(f"{order}I", at) + content[8:].ljust(at - 8, b"\0") + whole


def _entries(tiff: bytes, at: int, order: str) -> list[bytes]:
    """The entries of a directory of a TIFF file, of twelve bytes each."""
    (count,) = struct.unpack(f"{order}H", tiff[at : at + 2])
    return [tiff[at + 2 + 12 * number : at + 14 + 12 * number] for number in range(count)]
