"""Colours as they look: palettes, transparent colours and the inks of print become RGB."""

from io import BytesIO

from PIL import Image, ImageCms

from npfill.errors import InputError

ONE_BIT = "1-bit picture converted to grey"


def in_plain_mode(image: Image.Image) -> Image.Image:
    """An 8-bit or 1-bit image in mode L, RGB, LA or RGBA, its pixels looking as they did.

    A palette is looked up; a palette's or a colour's transparency becomes an alpha channel.
    """
    colours = "L" if image.mode in {"1", "L", "LA"} else "RGB"
    mode = f"{colours}A" if image.has_transparency_data else colours
    return image.convert(mode) if mode != image.mode else image


def about_mode(image: Image.Image, plain: str) -> list[str]:
    """What the user should be told of the plain mode that an image became."""
    if image.mode in {"P", "PA"}:
        return [f"palette picture converted to {plain}"]
    if image.mode == "1":
        return [ONE_BIT]
    if image.mode in {"L", "RGB"} and "transparency" in image.info:
        return ["its transparent colour became an alpha channel"]
    return []


def inks_to_rgb(image: Image.Image, name: str) -> Image.Image:
    """A CMYK image in sRGB, as its embedded profile says that it looks.

    Raises:
        InputError: It has no profile, or none that can be used: what its inks look like is not
            known.
    """
    hint = "convert it to RGB in the program that it was made with"
    profile = image.info.get("icc_profile")
    if not profile:
        raise InputError(f"{name}: CMYK without a colour profile is not read", hint)
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        raise InputError(f"{name}: its CMYK profile cannot be used", hint) from None
    if converted is None:
        raise InputError(f"{name}: its CMYK profile cannot be used", hint)
    return converted
