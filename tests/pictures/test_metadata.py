"""What a file says of its picture goes along with the picture, or a line says that it does not."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from npfill.pictures.formats import FORMATS, left_out, picture_bytes
from npfill.pictures.formats.metadata import PARTS
from npfill.pictures.picture import Picture
from npfill.pictures.read import read_picture

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" '
    b'dc:rights="mine"/></x:xmpmeta>'
)
IPTC = b"\x1c\x02\x50\x00\x04Anna"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


LOOKS = {
    b"gAMA": struct.pack(">I", 100_000),
    b"cHRM": struct.pack(">8I", *range(31_000, 39_000, 1000)),
    b"sRGB": b"\1",
    b"cICP": bytes([9, 16, 0, 1]),
    b"mDCV": bytes(24),
    b"cLLI": bytes(8),
}
TEXTS = {
    b"tEXt": b"Author\0Anna",
    b"zTXt": b"Warning\0\0" + zlib.compress(b"hot"),
    b"iTXt": b"Title\0\0\0de\0Titel\0Das Bild",
}


def noise(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8).squeeze()


def png_with(chunks: dict[bytes, bytes], after: bytes = b"", deep: bool = False) -> bytes:
    if deep:
        content = io.BytesIO(picture_bytes(Picture(deepened(), "PNG", "a"), {}, keep=False))
    else:
        content = io.BytesIO()
        Image.fromarray(noise()).save(content, "PNG")
    png = content.getvalue()
    more = b"".join(chunk(*each) for each in chunks.items())
    return png[:33] + more + png[33:-12] + after + png[-12:]


def deepened() -> np.ndarray:
    return noise().astype(np.uint16) * 257


def chunks_of(png: bytes) -> dict[bytes, bytes]:
    found, at = {}, 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        found[png[at + 4 : at + 8]] = png[at + 8 : at + 8 + size]
        at += size + 12
    return found


def kept(path: Path, content: bytes, *, keep: bool = False, strip: bool = False) -> bytes:
    path.write_bytes(content)
    picture = read_picture(path)
    return picture_bytes(picture.stripped() if strip else picture, {}, keep=keep)


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_what_levels_look_like_in_a_png_goes_along(
    tmp_path: Path, name: bytes, strip: bool, deep: bool
) -> None:
    content = png_with({name: LOOKS[name]}, deep=deep)
    after = kept(tmp_path / "a.png", content, strip=strip)
    assert chunks_of(after)[name] == LOOKS[name]
    Image.open(io.BytesIO(after)).load()  # checks every chunk


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("behind", [False, True])
def test_the_text_of_a_png_goes_along_unless_it_is_stripped(
    tmp_path: Path, name: bytes, behind: bool
) -> None:
    own, after = {name: TEXTS[name]}, chunk(name, TEXTS[name])
    content = png_with({}, after) if behind else png_with(own)
    assert chunks_of(kept(tmp_path / "a.png", content))[name] == TEXTS[name]
    assert name not in chunks_of(kept(tmp_path / "a.png", content, strip=True))


def test_text_of_another_completion_does_not_go_along(tmp_path: Path) -> None:
    content = png_with({b"tEXt": b"npfill_seed\x003"})
    assert b"tEXt" not in chunks_of(kept(tmp_path / "a.png", content))


@pytest.mark.parametrize("name", [b"Raw profile type 8bim", b"Thumb::URI"])
def test_text_that_shows_or_names_the_picture_as_it_was_does_not_go_along(
    tmp_path: Path, name: bytes
) -> None:
    content = png_with({b"zTXt": name + b"\0\0" + zlib.compress(b"a preview")})
    assert b"zTXt" not in chunks_of(kept(tmp_path / "a.png", content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "preview",
    [
        b"<xmp:Thumbnails><xmpGImg:image>%s</xmpGImg:image></xmp:Thumbnails>",
        b"<xapGImg:image>%s</xapGImg:image>",
        b'<rdf:li xmpGImg:image="%s"/>',
        b"<rdf:Description GImage:Data='%s'/>",
    ],
)
def test_a_preview_in_xmp_is_emptied_and_all_else_in_it_is_kept(
    tmp_path: Path, kind: str, preview: bytes
) -> None:
    before = XMP.replace(b' tiff:Orientation="6"', b"").replace(b"</x", preview + b"</x")
    options: dict[str, Any] = {"xmp": before % b"/9j/4AAQ&#xA;SkZJRg=="}
    if kind == "PNG":
        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", (before % b"/9j/4AAQ").decode())
    Image.fromarray(noise()).save(tmp_path / "a", kind, **options)
    for keep in (False, True):
        (tmp_path / "b").write_bytes(picture_bytes(read_picture(tmp_path / "a"), {}, keep=keep))
        assert read_picture(tmp_path / "b").info["xmp"] == before % b""


def test_a_damaged_chunk_does_not_cost_the_picture(tmp_path: Path) -> None:
    content = bytearray(png_with({}, chunk(b"tEXt", b"Author\0Anna")))
    content[content.index(b"Anna")] ^= 1
    assert b"tEXt" not in chunks_of(kept(tmp_path / "a.png", bytes(content)))


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    aspect = struct.pack(">IIB", 2, 1, 0)
    assert chunks_of(kept(tmp_path / "a.png", png_with({b"pHYs": aspect})))[b"pHYs"] == aspect


def full(kind: str, tmp_path: Path) -> Path:
    """A picture of a format with every part that the format keeps."""
    exif = Image.Exif()
    exif[Base.Make] = "a camera"
    parts: dict[str, Any] = {"icc_profile": PROFILE, "exif": exif, "dpi": (300, 300)}
    parts |= {"xmp": XMP.replace(b"6", b"1"), "comment": b"hello"}
    image, path = Image.fromarray(noise()), tmp_path / f"a.{kind}"
    if kind == "PNG":
        path.write_bytes(png_with({b"gAMA": LOOKS[b"gAMA"], b"tEXt": TEXTS[b"tEXt"]}))
        entries = {"xmp": parts["xmp"], "comment": b"hello", "exif": exif.tobytes()}
        stated = {**read_picture(path).info, **parts, **entries}
        whole = Picture(noise(), "PNG", "a", info=stated)
        path.write_bytes(picture_bytes(whole, {}, keep=False))
        return path
    if kind == "TIFF":
        exif[700], exif[33723] = parts.pop("xmp"), IPTC
    if kind == "JPEG":
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0"
        block = b"Photoshop 3.0\0" + resource
        parts["extra"] = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    image.save(path, kind, **parts)
    return path


@pytest.mark.parametrize("kind", [kind for kind, each in FORMATS.items() if not each.is_data])
def test_a_format_keeps_what_the_table_says_and_tells_what_png_does_not(
    tmp_path: Path, kind: str
) -> None:
    picture = read_picture(full(kind, tmp_path))
    stated = set(FORMATS[kind].keeps) - ({"comment"} if kind == "PNG" else set())
    assert stated <= picture.info.keys()
    (tmp_path / "b").write_bytes(picture_bytes(picture, {}, keep=True))
    again = read_picture(tmp_path / "b")
    for part in stated - {"exif", "dpi"}:
        assert again.info[part] == picture.info[part], part
    if "dpi" in stated:
        assert again.info["dpi"] == pytest.approx(picture.info["dpi"], abs=0.02)
    if "exif" in stated:
        assert again.image.getexif()[Base.Make] == "a camera"
    assert left_out(picture, keep=True) == []
    (tmp_path / "c").write_bytes(picture_bytes(picture, {}, keep=False))
    png = read_picture(tmp_path / "c").info
    lost = [PARTS[part] for part in PARTS if part in picture.info and part not in png]
    lost = [part for part in lost if part != "comment"]  # it has become text
    assert left_out(picture, keep=False) == (
        [f"PNG results do not keep its {', '.join(lost)}"] if lost else []
    )
    assert lost == (["IPTC"] if "iptc" in stated else [])


def test_a_comment_becomes_text_of_the_png(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.jpg", comment=b"hello")
    png = picture_bytes(read_picture(tmp_path / "a.jpg"), {}, keep=False)
    assert Image.open(io.BytesIO(png)).info["Comment"] == "hello"


@pytest.mark.parametrize("dpi", [None, (300.0, 300.0)])
def test_a_tiff_has_the_resolution_that_it_states_or_none(
    tmp_path: Path, dpi: tuple[float, float] | None
) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.tif", dpi=dpi)
    assert read_picture(tmp_path / "a.tif").info.get("dpi") == dpi


def test_a_format_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.gif", comment=b"hello")
    picture = read_picture(tmp_path / "a.gif")
    other = Picture(picture.values, "GIF", "a", info={"icc_profile": PROFILE, "xmp": XMP})
    assert left_out(other, keep=True) == ["GIF results do not keep its colour profile, XMP"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_what_depends_on_the_orientation_follows_the_turn(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif.get_ifd(IFD.Exif).update({Base.ExifImageWidth: 7, Base.ExifImageHeight: 5})
    block, exif = exif.tobytes(), Image.Exif()
    exif.load(block)
    options: dict[str, Any] = {"exif": exif, "dpi": (300, 100)}
    if kind == "TIFF":
        exif[700] = XMP
    if kind == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    else:
        options["xmp"] = XMP
    Image.fromarray(noise()).save(tmp_path / "a", kind, **options)
    for keep in (False, True):
        (tmp_path / "b").write_bytes(picture_bytes(read_picture(tmp_path / "a"), {}, keep=keep))
        after = read_picture(tmp_path / "b")
        assert after.size == ((7, 5) if orientation > 4 else (5, 7))
        assert after.notes == ()  # it is not turned once more, by XMP or EXIF
        shot = after.image.getexif().get_ifd(IFD.Exif)
        assert (shot[Base.ExifImageHeight], shot[Base.ExifImageWidth]) == after.size
        if "dpi" in after.info:
            stated = (100, 300) if orientation > 4 else (300, 100)
            assert after.info["dpi"] == pytest.approx(stated, abs=0.02)
        assert b"Orientation" not in after.info["xmp"]
        assert b"mine" in after.info["xmp"]


@pytest.mark.parametrize(
    "of_more", [b'hdrgm:Version="1.0"', b"GContainer:Directory", b"GCamera:MicroVideo"]
)
def test_xmp_of_pictures_that_no_copy_has_is_left_out_and_said(
    tmp_path: Path, of_more: bytes
) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.jpg", xmp=XMP.replace(b"mine", of_more))
    picture = read_picture(tmp_path / "a.jpg")
    assert "xmp" not in picture.info
    assert any(note.startswith("its XMP is left out") for note in picture.notes)


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_a_comment_is_read_in_either_encoding(tmp_path: Path, coding: str) -> None:
    says, content = "café", "café".encode(coding)
    Image.fromarray(noise()).save(tmp_path / "a.jpg", comment=content)
    png = picture_bytes(read_picture(tmp_path / "a.jpg"), {}, keep=False)
    assert Image.open(io.BytesIO(png)).info["Comment"] == says


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (12, 13), (1, 13)])
def test_colours_of_an_avif_that_are_none_of_a_screen_are_said_in_the_png(
    tmp_path: Path, primaries: int, transfer: int
) -> None:
    values = np.full((16, 16, 3), 500, np.uint16)
    try:
        content = imagecodecs.avif_encode(
            values, bitspersample=10, primaries=primaries, transfer=transfer, matrix=9
        )
    except TypeError:
        pytest.skip("an imagecodecs that writes no such AVIF")
    png = kept(tmp_path / "a.avif", bytes(content))
    if (primaries, transfer) == (1, 13):
        assert b"cICP" not in chunks_of(png)
    else:
        assert chunks_of(png)[b"cICP"] == bytes([primaries, transfer, 0, 1])
        Image.open(io.BytesIO(png)).load()
    told = left_out(read_picture(tmp_path / "a.avif"), keep=True)
    assert told == ([] if primaries == 1 else ["AVIF results do not keep its gamma and primaries"])
