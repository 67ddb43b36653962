"""The family of HEIC and AVIF: what is read of it, and by which package."""

from npfill.errors import InputError
from npfill.extras import imported

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_CODED_BY_HEVC = b"hvcC"


def is_heic(header: bytes) -> bool:
    """Whether the first bytes of a file are those of HEIC, which Pillow alone cannot read."""
    if header[4:8] != b"ftyp":
        return False
    brand = header[8:12]
    return brand in _HEIC_BRANDS or (brand in {b"mif1", b"msf1"} and _CODED_BY_HEVC in header)


def register(name: str) -> None:
    """Let Pillow read HEIC.

    Raises:
        InputError: The package that it takes is not installed.
    """
    pillow_heif = imported("pillow_heif", f"{name}: HEIC", "heic", InputError)
    pillow_heif.register_heif_opener(thumbnails=False)


def avif_bits(header: bytes) -> int:
    """Bits per sample by the first bytes of an AVIF file; 8 where they do not say."""
    at = header.find(b"av1C")
    if at < 0 or at + 6 >= len(header):
        return 8
    flags = header[at + 6]
    if not flags & 0x40:  # high_bitdepth of the codec's configuration record
        return 8
    return 12 if flags & 0x20 else 10
