"""A network's predictions, but the exact ones where a picture follows the law of a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Conditioned
from npfill.models.parts.law import Law, law_of
from npfill.seeds import generator

# Pixels of the largest picture that a law is looked for in: of larger ones it would take long.
LARGEST = 75_000
_alone = ContextVar("alone", default=False)


@contextmanager
def network_alone(alone: bool = True) -> Iterator[None]:
    """Follow the network, and no law, while the context is open."""
    before = _alone.set(alone or _alone.get())
    try:
        yield
    finally:
        _alone.reset(before)


@dataclass(frozen=True)
class Lawful(Conditioned):
    """Conditioned on pictures of which some follow the law of a stationary Gaussian process.

    Attributes:
        laws: The law of each channel of each picture; None where the network is followed.
    """

    laws: tuple[Law | None, ...] = ()

    def calibrated(self, predicted: Gaussian, targets: Targets) -> Gaussian:
        """See `Conditioned.calibrated`; what follows a law has its posterior instead."""
        predicted = super().calibrated(predicted, targets)
        mean, scale = predicted.mean.clone(), predicted.scale.clone()
        channels = mean.shape[-1]
        index = targets.index.expand(mean.shape[-3], -1).cpu()
        for number, law in enumerate(self.laws):
            if law is not None:
                picture, channel = divmod(number, channels)
                asked = _points(index[picture], targets.size[1])
                found = law.posterior(asked)
                mean[..., picture, :, channel], scale[..., picture, :, channel] = (
                    each.to(mean) for each in found
                )
        return Gaussian(mean, scale, predicted.factor)

    @property
    def has_law(self) -> bool:
        """See `Conditioned.has_law`."""
        return None not in self.laws

    def simulated(
        self, targets: Targets, seed: int, numbers: range
    ) -> Float[Tensor, "sample batch target channel"] | None:
        """See `Conditioned.simulated`: where every channel of every picture follows a law."""
        if not self.has_law or targets.size != self.context.size:
            return None
        batch, channels = self.context.pixels.shape[:2]
        own = channels if self.factor is None else len(self.factor)  # whose noise is their own
        index = targets.index.expand(batch, -1).cpu()
        drawn = [
            law.simulated(
                _points(index[place // channels], targets.size[1]),
                targets.size,
                [generator(seed, "simulated", number, place % own) for number in numbers],
            )
            for place, law in enumerate(self.laws)
            if law is not None
        ]
        found = torch.stack(drawn, dim=1).unflatten(1, (batch, channels))
        return found.transpose(2, 3).to(self.context.pixels)


def laws_of(context: Context) -> tuple[Law | None, ...]:
    """The law of each channel of each picture, where it has one."""
    found = []
    for pixels, observed in zip(context.pixels.cpu(), context.observed.cpu(), strict=True):
        seen = observed[0].flatten()
        at = _points(seen.nonzero()[:, 0], observed.shape[-1])
        small = seen.numel() <= LARGEST and not _alone.get()
        found += [law_of(at, each.flatten()[seen].double()) if small else None for each in pixels]
    return tuple(found)


def _points(index: Tensor, width: int) -> Float[Tensor, "point 2"]:
    """Rows and columns of pixels by their numbers."""
    rows = torch.div(index, width, rounding_mode="floor")
    return torch.stack([rows, index % width], dim=-1).double()
