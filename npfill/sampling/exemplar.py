"""Samples with texture of the picture's own, held by the predictive distribution."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Conditioned
from npfill.pictures.planes import around
from npfill.sampling.base import Asked, LogLikelihoods, Paths, Sampler, Samples, Truth
from npfill.sampling.grain import grainy
from npfill.sampling.independent import Independent
from npfill.sampling.painting import Painting
from npfill.sampling.predictive import moments
from npfill.sampling.scales import holds_box
from npfill.steps import Steps

# Patches are drawn for a hole into which a box of this side fits; a narrower one gets grain.
NARROW = 6
# A hole into which a box of this side fits is told to be wide.
WIDE = 32
# Around a hole, patches are drawn from a window of so many pixels, or within so many pixels.
_WINDOW, _MARGIN = 2**20, 64
# What samples are, in words.
_TEXTURE = "pictures that would fit, of the picture's own patches; not draws from the std"
_GRAIN = "the mean with the grain of the picture; not draws from the std"

Picture = Float[Tensor, "channel height width"]


@dataclass(frozen=True)
class Drawn:
    """Samples of the hole of one picture.

    Attributes:
        samples: Their values, in [0, 1].
        notes: Sentences for the user on them.
        kind: What they are, in words.
    """

    samples: Float[Tensor, "sample pixel channel"]
    notes: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Exemplar(Sampler):
    """Patches of the picture fill the hole, each held by the mean and std there.

    They are pictures that would fit, and no draws from the predictive distribution: of a std that
    says how little is known, they show what goes with the rest of the picture. The first is the
    better of two. A hole too narrow for texture gets the mean with the grain of the picture.

    Attributes:
        allowed: True where patches may be taken from; None for everywhere.
        wanted: True where a hole is drawn; elsewhere samples are the mean. None for everywhere.
    """

    allowed: Bool[Tensor, "height width"] | None = field(default=None, compare=False)
    wanted: Bool[Tensor, "height width"] | None = field(default=None, compare=False)

    name: ClassVar[str] = "exemplar"
    meaning: ClassVar[str] = "texture of the picture's own, held by mean and std"
    density: ClassVar[str] = "none: pictures that would fit, not draws from the distribution"
    at_once: ClassVar[bool] = True

    def substitute(self, given: Conditioned) -> Sampler:
        """A coarser grid has lost the texture."""
        return Independent()

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`; every picture of the batch by itself."""
        predicted = predicted or moments(paths.given, targets, paths.seed)
        context, shown = paths.given.context, []
        for each, picture in enumerate(context.seen()):
            hole, wanted = ~context.observed[each, 0], targets.index
            mean, std = (
                torch.zeros_like(picture).flatten(1).index_copy(1, wanted, part[each].T)
                for part in (predicted.mean, predicted.scale)
            )
            moment = Gaussian(mean.view_as(picture), std.view_as(picture))
            drawn = self.complete(picture, hole, moment, paths.seed, paths.numbers).samples
            filled = mean.T.repeat(len(drawn), 1, 1)
            filled[:, hole.flatten()] = drawn
            shown.append(filled[:, wanted])
        return torch.stack(shown, dim=1)

    @torch.no_grad()
    def complete(
        self,
        picture: Picture,
        hole: Bool[Tensor, "height width"],
        predicted: Gaussian,
        seed: int,
        numbers: range,
    ) -> Drawn:
        """Samples of the hole of a picture, from the prediction of any model.

        Args:
            picture: The picture, unread where the hole is.
            hole: True where it is to be drawn.
            predicted: Mean and std, of the picture's shape; unread outside the hole.
            seed: The seed.
            numbers: The numbers of the samples, each of which depends on its own and the seed.
        """
        if not hole.any() or not numbers:
            return Drawn(picture.new_zeros(len(numbers), int(hole.sum()), len(picture)), ())
        free, unseen = ~hole if self.allowed is None else ~hole & self.allowed, hole
        if self.wanted is not None:
            picture = torch.where(hole & ~self.wanted, predicted.mean, picture)
            hole = hole & self.wanted
        parts = (picture.float(), hole, free, predicted.mean.float(), predicted.scale.float())
        window = _window(hole.cpu().numpy())
        painting = Painting(*(part.cpu() for part in parts)).around(window)
        notes, narrow = list[str](), not holds_box(painting.hole, NARROW)
        if not narrow and not painting.levels:
            narrow = True
            notes.append(
                "too few patches are observed to draw texture from: samples are the mean with grain"
            )
        if holds_box(painting.hole, WIDE):
            notes.append(
                f"the hole is wider than {WIDE} px: the mean is the average of what may be there"
                + ("" if narrow else "; sample 1 is a picture to keep")
            )
        if narrow:
            dark = unseen.cpu()[window]  # of which grain says nothing
            moment, asked = (painting.mean, painting.std), painting.hole[dark]
            drawn = [grainy(painting.picture, dark, *moment, seed, k)[asked] for k in numbers]
        else:
            steps = Steps(sum(painting.work(number) for number in numbers))
            drawn = [painting.sample(seed, number, steps) for number in numbers]
        kind, samples = _GRAIN if narrow else _TEXTURE, torch.stack(drawn).clamp(0, 1).to(picture)
        everywhere = predicted.mean[:, unseen].T.repeat(len(samples), 1, 1).to(picture)
        everywhere[:, hole[unseen]] = samples
        return Drawn(everywhere, tuple(notes), kind)

    def log_likelihood(
        self, given: Conditioned, truth: Truth, asked: Asked, seed: int, count: int
    ) -> LogLikelihoods:
        """None: NaN of every picture."""
        unknown = truth.new_full((len(truth),), torch.nan)
        return unknown, unknown


def _window(hole: Bool[np.ndarray, "height width"]) -> tuple[slice, slice]:
    """The rows and columns around a hole that patches are taken from."""
    height, width = (side.stop - side.start for side in around(hole))
    margin = _MARGIN
    while (height + 2 * margin) * (width + 2 * margin) < _WINDOW:
        margin += _MARGIN
    return around(hole, margin)
