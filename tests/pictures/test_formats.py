"""Formats beside the plain ones, and pictures written in the format that they came in."""

import io
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from npfill.completion.outputs import OutputOptions, plan_results
from npfill.errors import InputError
from npfill.pictures.formats import picture_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.read import as_read_again, glance, read_picture


def smooth() -> Image.Image:
    """A picture that lossy formats keep well,."""
    down, across = np.mgrid[:24, :32]
    values = np.stack([across * 7, down * 9, across * 0 + 120], -1).astype(np.uint8)
    return Image.fromarray(values)


@pytest.fixture
def pillow_heif() -> Any:
    module = pytest.importorskip("pillow_heif")
    module.register_heif_opener()
    return module


def test_avif_is_read(tmp_path: Path) -> None:
    smooth().save(tmp_path / "a.png", "AVIF", quality=100)
    picture = read_picture(tmp_path / "a.png")
    assert (picture.format, picture.notes) == ("AVIF", ())
    assert np.abs(picture.values.astype(int) - np.asarray(smooth())).max() < 12


@pytest.mark.parametrize("bits", [10, 12])
def test_avif_of_more_than_8_bits_is_said_to_lose_them(tmp_path: Path, bits: int) -> None:
    values = np.full((20, 30, 3), 2**bits // 2, np.uint16)
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(values, bitspersample=bits))
    assert read_picture(tmp_path / "a.avif").notes == (f"{bits}-bit input, completing at 8 bit",)


@pytest.mark.usefixtures("pillow_heif")
def test_heic_is_read(tmp_path: Path) -> None:
    smooth().save(tmp_path / "a", "HEIF", quality=100)
    picture = read_picture(tmp_path / "a")
    assert (picture.format, picture.notes) == ("HEIF", ())
    assert np.abs(picture.values.astype(int) - np.asarray(smooth())).max() < 12


def test_heic_of_more_than_8_bits_is_said_to_lose_them(tmp_path: Path, pillow_heif: Any) -> None:
    values = np.full((20, 30, 3), 32768, np.uint16)
    deep = pillow_heif.from_bytes(mode="RGB;16", size=(30, 20), data=values.tobytes())
    deep.save(tmp_path / "a.heic")
    assert read_picture(tmp_path / "a.heic").notes == ("10-bit input, completing at 8 bit",)


def test_heic_without_its_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf")
    with pytest.raises(InputError, match=r"a\.jpg: HEIC needs pillow-heif") as refusal:
        read_picture(tmp_path / "a.jpg")
    assert refusal.value.hint == "pip install 'npfill[heic]'"


def inks(profile: bytes | None) -> bytes:
    """A CMYK picture in a JPEG file."""
    content = io.BytesIO()
    Image.new("CMYK", (6, 5), (255, 0, 0, 0)).save(content, "JPEG", icc_profile=profile)
    return content.getvalue()


def test_inks_without_a_profile_are_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(inks(None))
    with pytest.raises(InputError, match=r"a\.jpg: CMYK without a colour profile") as refusal:
        read_picture(tmp_path / "a.jpg")
    assert refusal.value.hint.startswith("convert it to RGB")


def test_a_profile_that_is_none_of_inks_is_refused(tmp_path: Path) -> None:
    for profile in (b"no profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))):
        content = profile if isinstance(profile, bytes) else profile.tobytes()
        (tmp_path / "a.jpg").write_bytes(inks(content))
        with pytest.raises(InputError, match="its CMYK profile cannot be used"):
            read_picture(tmp_path / "a.jpg")


def test_inks_are_converted_by_their_profile(tmp_path: Path, cmyk_profile: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(inks(cmyk_profile))
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.notes == ("CMYK converted to RGB through its colour profile",)
    assert "icc_profile" not in picture.info
    # By the naive formula it would be cyan.
    assert np.ptp(picture.values.astype(int), axis=-1).max() <= 2
    assert 100 < picture.values.mean() < 140


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP"])
def test_a_lossless_format_is_kept_without_loss(tmp_path: Path, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    smooth().save(tmp_path / "a", kind, **options)
    picture = read_picture(tmp_path / "a")
    content = picture_bytes(picture, {}, keep=True)
    again = as_read_again(content, picture)
    assert again.format == kind
    assert np.array_equal(again.values, picture.values)


LOSSY = {"JPEG": 8, "AVIF": 12, "HEIF": 12, "GIF": 255}


@pytest.mark.parametrize("kind", LOSSY)
@pytest.mark.usefixtures("pillow_heif")
def test_what_a_lossy_format_changes_is_measured(tmp_path: Path, kind: str) -> None:
    smooth().save(tmp_path / "a", kind)
    picture = read_picture(tmp_path / "a")
    again = as_read_again(picture_bytes(picture, {}, keep=True), picture)
    assert again.format == kind
    hole = np.zeros(picture.size, dtype=bool)
    changed, by = MaskedPicture.of(picture, hole).changed_outside(again)
    assert changed == (again.values != picture.values).any(-1).sum()
    assert by <= LOSSY[kind]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_a_picture_that_has_become_opaque_is_kept_too(tmp_path: Path, kind: str) -> None:
    clear = smooth().convert("RGBA")
    clear.paste((0, 0, 0, 0), (4, 4, 12, 12))
    clear.save(tmp_path / "a", kind)
    picture = read_picture(tmp_path / "a")
    assert picture.has_alpha
    incomplete = MaskedPicture.of(picture, picture.values[..., -1] < 128)
    filled = incomplete.filled(np.full((*picture.size, 3), 0.5), opaque=True)
    again = as_read_again(picture_bytes(filled, {}, keep=True), filled)
    assert (again.values[..., -1] > 250).all()


def test_pictures_and_what_is_missing_have_no_suffix_of_data(tmp_path: Path) -> None:
    for name in ("a.jpeg", "b.tiff"):
        smooth().save(tmp_path / name)
        assert glance(tmp_path / name)[0] == ""
    assert glance(tmp_path / "none.npy")[0] == ""


def test_results_are_named_after_the_format_they_are_in() -> None:
    def names(source: str, data: str, *, keep: bool) -> list[str]:
        options = OutputOptions(emit="mean,std,sheet", keep=keep)
        return [each.path.name for each in plan_results(options, 0, Path(source), data)]

    assert names("a.jpeg", "", keep=False) == ["a_mean.png", "a_std.png", "a_sheet.png"]
    assert names("a.jpeg", "", keep=True) == ["a_mean.jpeg", "a_std.png", "a_sheet.png"]
    assert names("a.dat", ".npy", keep=True) == ["a_mean.npy", "a_std.npy", "a_sheet.png"]
