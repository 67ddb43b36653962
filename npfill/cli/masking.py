"""The options that select the hole."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.errors import InputError, UsageError

if TYPE_CHECKING:
    from npfill.images.files import Picture
    from npfill.images.masks import Hole


@dataclass(frozen=True)
class MaskOptions:
    """How the hole is selected."""

    mask: str | None
    boxes: list[str]
    invert: bool
    grow: int
    threshold: float | None
    fit: bool

    @property
    def file(self) -> str | None:
        """The mask's file, if it comes from one."""
        return None if self.mask == "alpha" else self.mask

    @property
    def name(self) -> str:
        """What messages call the mask."""
        return self.mask or "--box"


def hole_of(masking: MaskOptions, picture: "Picture") -> "Hole":
    """The hole that the options select, the union where several do."""
    from npfill.images import masks

    size = picture.image.height, picture.image.width
    if masking.file is None and (masking.fit or masking.threshold is not None):
        flag = "--fit-mask" if masking.fit else "--mask-threshold"
        raise UsageError(f"{flag}: there is no mask file that it could be for", "--mask FILE")
    holes = []
    if masking.mask == "alpha":
        holes.append(masks.from_alpha(picture.image, picture.name))
    elif masking.file is not None:
        holes.append(
            masks.read_mask(
                Path(masking.file),
                size,
                picture_name=picture.name,
                threshold=masking.threshold,
                fit=masking.fit,
            )
        )
    if masking.boxes:
        holes.append(masks.from_boxes([masks.parse_box(box) for box in masking.boxes], size))
    if not holes:
        raise UsageError(
            "nothing says what is missing", "--mask FILE, --mask alpha or --box X,Y,W,H"
        )
    unshrunk = masks.adjusted(masks.union(holes), invert=masking.invert, grow=0)
    hole = masks.adjusted(unshrunk, invert=False, grow=masking.grow)
    if unshrunk.selected.any() and not hole.selected.any():
        raise InputError(
            f"{masking.name}: --grow {masking.grow} leaves nothing of the hole",
            "shrink it by less",
        )
    return masks.check(hole, masking.name)


def sha256_of(hole: "Hole") -> str:
    """The hash of the hole as packed bits in row-major order."""
    import hashlib

    import numpy as np

    return hashlib.sha256(np.packbits(hole.selected).tobytes()).hexdigest()
