"""Masks that are the picture itself by mistake, or another; and the way to the hole in them."""

import numpy as np
from jaxtyping import Bool, Float

from npfill.errors import InputError
from npfill.pictures.picture import Picture, match_channels

_PAINTED = 24  # levels of 255: by which paint differs from a picture, and not from itself
_NEAR = 8 / 255  # of full scale: levels that may be the same
MASK = "a mask is black where the picture is kept and white where it is filled"


def is_itself(mask: Picture, picture: Picture) -> bool:
    """True if a mask is the picture, or the picture with a part made transparent."""
    if mask.is_data or picture.is_data or mask.size != picture.size:
        return False
    if not mask.has_alpha or (opaque := mask.values[..., -1] >= mask.white / 2).all():
        same = mask.values.shape == picture.values.shape and (mask.values == picture.values).all()
        return bool(same and (mask.values != mask.values[0, 0]).any())
    one, other = (_lightness(each)[opaque] for each in (mask, picture))
    return bool(
        other.max(initial=0) - other.min(initial=1) > 0.1
        and np.mean(np.abs(one - other) < _NEAR) > 0.95
    )


def shows(
    picture: Picture, mask: Float[np.ndarray, "height width"], greys: Bool[np.ndarray, "..."]
) -> bool:
    """True if the greys of a mask, in [0, 1], are those of the picture."""
    if picture.is_data or picture.size != mask.shape:
        return False
    return bool(np.mean(np.abs(_lightness(picture) - mask)[greys] < _NEAR) > 0.8)


def a_picture(mask: Picture, picture: Picture) -> InputError:
    """The refusal of a mask that holds a picture, with the way to the hole in it."""
    problem = f"{mask.name}: holds a picture, whose lightness says nothing of a hole"
    alpha = mask.values[..., -1]
    if mask.values.shape[-1] in {2, 4} and (alpha < alpha.max() / 2).any():
        return InputError(problem, f"complete {mask.name} itself, by `mask=alpha`")
    if paint := _paint(mask, picture):
        return InputError(problem, f"complete {mask.name} itself, by `mask=color:{paint}`")
    return InputError(problem, f"{MASK}; a colour painted into it is `mask=color:#rrggbb`")


def _paint(mask: Picture, picture: Picture) -> str:
    """The colour that covers a part of the picture in a mask that is else the picture; or ""."""
    if mask.kind != picture.kind or mask.size != picture.size or mask.is_data:
        return ""
    step = mask.white // 255
    away = np.abs(mask.values.astype(np.int32) - picture.values).max(axis=-1) > _PAINTED * step
    if not 0 < away.mean() < 1 / 2:
        return ""
    covered = mask.values[away][:, : mask.colours].astype(np.int32)
    colour = np.median(covered, axis=0)
    if np.mean(np.abs(covered - colour).max(axis=-1) <= _PAINTED * step) < 1 / 2:
        return ""
    levels = [int(level) // step for level in colour]
    return "#" + "".join(f"{level:02x}" for level in (levels * 3)[:3])


def _lightness(picture: Picture) -> Float[np.ndarray, "height width"]:
    """The luminance in [0, 1], alpha aside."""
    colours = picture.values[..., : picture.colours].astype(np.float32) / np.float32(picture.white)
    return np.asarray(match_channels(colours, 1)[..., 0])
