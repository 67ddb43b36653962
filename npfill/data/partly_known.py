"""Pictures with holes of their own: what lies in these is not known, to anyone."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor


@dataclass(frozen=True)
class PartlyKnown:
    """Pictures of one size, and which of their pixels are known.

    Attributes:
        images: Bytes. What stands where `known` is False is never read.
        known: True where a picture has no hole.
    """

    images: UInt8[Tensor, "image channel size size"]
    known: Bool[Tensor, "image 1 size size"]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice) -> "PartlyKnown":
        return PartlyKnown(self.images[part], self.known[part])

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.images.device

    def to(self, device: torch.device) -> "PartlyKnown":
        """The same on a device."""
        return PartlyKnown(self.images.to(device), self.known.to(device))


def parted(
    pictures: UInt8[Tensor, "image channel size size"] | PartlyKnown,
) -> tuple[UInt8[Tensor, "image channel size size"], Bool[Tensor, "image 1 size size"] | None]:
    """The bytes of pictures, and which of their pixels are known; None where all are."""
    if isinstance(pictures, PartlyKnown):
        return pictures.images, pictures.known
    return pictures, None
