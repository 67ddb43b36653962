"""The law of a field that is a stationary Gaussian process, and its posterior."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from npfill.matern import matern

# Smoothness of the covariances, and the coarse grid of lengths in pixels and of shares of noise;
# how much finer each of the rounds after it is.
_SMOOTHNESS = (0.5, 1.5, 2.5, math.inf)
_LENGTHS = tuple(1.6**power for power in range(9))
_NOISES = (1e-6, 1e-4, 1e-2, 0.1, 0.4)
_FINER = ((1.25, 5.0), (1.08, 2.2), (1.03, 1.5))
# Places that the law is fitted around; the near pixels of each, and the far ones.
_PLACES, _NEAR, _FAR = 10, 24, 16
# The fewest pixels that are a law, and the greatest kurtosis of what it makes independent.
_FEWEST, _TAILS = 100, 4.0
# Variance of the unknown mean, in that of the process.
_MEAN = 1.0
# Lengths, beyond twice the picture, after which a torus that a field is drawn on closes.
_DECAY = 12.0
# Pixels that a tile is predicted from, near and far; the most that a void is, which is predicted
# from as many more as it is wider. The least side of a tile, and the most pixels at once.
_NEAR_TILE, _FAR_TILE, _NEAR_VOID, _FAR_VOID, _TILE, _ASKED = 160, 60, 1300, 600, 6, 4096
# So many pixels, spread by the golden ratio over what is observed, have the far ones among them.
_THIN, _GOLDEN = 2000, 0.6180339887498949


@dataclass(frozen=True)
class Law:
    """A Matérn covariance, white noise and an unknown mean, with the pixels that are observed.

    Attributes:
        smoothness: ν: 1/2, 3/2, 5/2, or infinity (squared exponential).
        length: The length in pixels.
        noise: Variance of the noise, in that of the process.
        variance: Variance of the process.
        at: The observed pixels.
        values: Their values, less `mean`, in `unit`.
        mean: The mean of what is observed.
        unit: Its standard deviation.
    """

    smoothness: float
    length: float
    noise: float
    variance: float
    at: Float[Tensor, "observed 2"]
    values: Float[Tensor, " observed"]
    mean: float
    unit: float

    def covariance(self, distance: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Covariance of the process and its mean at distances in pixels, in its variance."""
        return matern(distance / self.length, self.smoothness).add_(_MEAN)

    def posterior(
        self, asked: Float[Tensor, "asked 2"]
    ) -> tuple[Float[Tensor, " asked"], Float[Tensor, " asked"]]:
        """Mean and std of values at pixels, part by part, from the observed ones near each.

        Of farther ones fewer are taken (Rasmussen and Williams 2006, equations 2.25 and 2.26). A
        part is a tile, or all tiles of a void, so that no seam runs through it.
        """
        mean, std = self._predicted(asked, self.values[None])
        return self.mean + self.unit * mean[0], self.unit * std

    def simulated(
        self,
        asked: Float[Tensor, "asked 2"],
        size: tuple[int, int],
        generators: Sequence[torch.Generator],
    ) -> Float[Tensor, "sample asked"]:
        """Values at pixels, drawn jointly given the observed ones of a picture, by each generator.

        A field is drawn by FFT on a torus so wide that nothing correlates with itself the other way
        around, and what the posterior makes of its own observed pixels is replaced (conditioning
        by kriging: Chilès and Delfiner 2012, "Geostatistics", section 7.3).
        """
        fields = [self._field(size, each) for each in generators]
        own, there = (
            torch.stack([field[tuple(where.long().T)] for field in fields])
            for where in (self.at, asked)
        )
        mean, _ = self._predicted(asked, self.values - own)
        return self.mean + self.unit * (mean + there)

    def _field(
        self, size: tuple[int, int], generator: torch.Generator
    ) -> Float[Tensor, "height width"]:
        """A field of this law that nothing is known of, on the torus."""
        height, width = (2 * side + math.ceil(_DECAY * self.length) for side in size)
        down, across = (
            torch.minimum(steps, len(steps) - steps)
            for steps in (torch.arange(side).to(self.at) for side in (height, width))
        )
        power = torch.fft.rfft2(
            matern(torch.hypot(down[:, None], across) / self.length, self.smoothness)
        )
        noise = torch.randn(3, height, width, generator=generator).to(self.at)
        waves = torch.fft.rfft2(noise[0]) * power.real.clamp(min=0.0).sqrt()
        field = torch.fft.irfft2(waves, s=(height, width)) + self.noise**0.5 * noise[1]
        return self.variance**0.5 * (field + _MEAN**0.5 * noise[2, 0, 0])

    def _predicted(
        self, asked: Float[Tensor, "asked 2"], values: Float[Tensor, "field observed"]
    ) -> tuple[Float[Tensor, "field asked"], Float[Tensor, " asked"]]:
        """Means of values at pixels given some at the observed ones, and their std, in the unit."""
        mean, std = values.new_empty(len(values), len(asked)), values.new_empty(len(asked))
        for part, given in self._parts(asked):
            mean[:, part], std[part] = self._within(asked[part], given, values[:, given])
        return mean, std

    def _parts(
        self, asked: Float[Tensor, "asked 2"]
    ) -> Iterator[tuple[Int[Tensor, " part"], Int[Tensor, " given"]]]:
        """Numbers of pixels that are predicted together, and of the observed ones they follow."""
        low, high = self.at.amin(0), self.at.amax(0) + 1.0
        side = math.sqrt(_NEAR_TILE * float((high - low).prod()) / len(self.at)) / 2.5
        side = max(_TILE, round(side))
        tiles, inverse = torch.unique((asked / side).floor(), dim=0, return_inverse=True)
        void = torch.cdist(tiles, (self.at / side).floor().unique(dim=0), p=math.inf).amin(1) > 0
        regions = _regions(tiles, void)
        count = min(len(self.at), _THIN)
        thin = (torch.arange(count) * _GOLDEN % 1.0 * len(self.at)).long().unique()
        for region in regions.unique():
            inside = regions == region
            beyond = reduce(torch.minimum, (self._beyond(one, side) for one in tiles[inside]))
            wider = float(inside.sum()) ** 0.5
            near, far = min(wider * _NEAR_TILE, _NEAR_VOID), min(wider * _FAR_TILE, _FAR_VOID)
            nearest = beyond.topk(min(round(near), len(beyond)), largest=False).indices
            ranks = _ranks(len(thin), max(1, round(near * len(thin) / len(beyond))), round(far))
            given = torch.cat([nearest, thin[beyond[thin].argsort()[ranks]]]).unique()
            for part in inside[inverse].nonzero()[:, 0].split(_ASKED):
                yield part, given

    def _beyond(self, tile: Float[Tensor, " 2"], side: int) -> Float[Tensor, " observed"]:
        """The squared distance of what is observed from a tile."""
        outside = (self.at - (tile + 0.5) * side).abs_().sub_(side / 2.0).clamp_(min=0.0)
        return outside.square_().sum(-1)

    def _within(
        self,
        asked: Float[Tensor, "asked 2"],
        given: Int[Tensor, " given"],
        values: Float[Tensor, "field given"],
    ) -> tuple[Float[Tensor, "field asked"], Float[Tensor, " asked"]]:
        near = self.at[given]
        among = self.covariance(torch.cdist(near, near))
        among.diagonal().add_(self.noise)
        cross = self.covariance(torch.cdist(near, asked))
        factor = torch.linalg.cholesky(among)
        half = torch.linalg.solve_triangular(factor, cross, upper=False)
        weights = torch.linalg.solve_triangular(factor.T, half, upper=True)
        left = 1.0 + _MEAN + self.noise - half.square().sum(0)
        # Field by field, so that none depends on how many there are.
        means = torch.stack([field @ weights for field in values])
        return means, (left.clamp(min=self.noise) * self.variance).sqrt()


def _regions(tiles: Float[Tensor, "tile 2"], void: Bool[Tensor, " tile"]) -> Int[Tensor, " tile"]:
    """The number of the region of each tile: those of a void that touch are one."""
    numbers = torch.arange(len(tiles))
    joined = (torch.cdist(tiles, tiles, p=math.inf) <= 1.0) & void & void[:, None]
    joined.fill_diagonal_(True)
    while True:
        least = numbers.expand_as(joined).where(joined, len(tiles)).amin(1)
        if torch.equal(least, numbers):
            return numbers
        numbers = least


def law_of(at: Float[Tensor, "observed 2"], values: Float[Tensor, " observed"]) -> Law | None:
    """The likeliest law of the observed pixels; None where they are few or do not follow it.

    The likelihood is that of values near some places, each time with farther ones. They follow the
    law if what it makes independent of them has the tails of a Gaussian; edges, steps and warps
    have others.
    """
    if len(at) < _FEWEST or (unit := float(values.std())) == 0.0:
        return None
    mean = float(values.mean())
    values = (values - mean) / unit
    count = min(_PLACES, -(-2 * len(at) // (_NEAR + _FAR)))
    centres = at[((torch.arange(count) + 0.5) * len(at) / count).long()]
    order = torch.cdist(centres, at).argsort(1)
    some = order[:, _ranks(len(at), _NEAR, _FAR)]
    apart, known = torch.cdist(at[some], at[some]), values[some]
    first = Law(0.0, 0.0, 0.0, 1.0, at, values, mean, unit)
    grid = [
        replace(first, smoothness=smoothness, length=length, noise=noise)
        for smoothness in _SMOOTHNESS
        for length in _LENGTHS
        for noise in _NOISES
    ]
    best = _likeliest(grid, apart, known)
    for longer, noisier in _FINER:
        powers = (-1, 0, 1)
        grid = [
            replace(best, length=best.length * longer**one, noise=best.noise * noisier**other)
            for one in powers
            for other in powers
        ]
        best = _likeliest(grid, apart, known)
    white = _whitened(best, apart, known)[0].flatten()
    variance = float(white.square().mean())
    kurtosis = float((white - white.mean()).pow(4).mean() / white.var().square())
    return replace(best, variance=variance) if kurtosis < _TAILS else None


def _likeliest(
    laws: list[Law], apart: Float[Tensor, "place point point"], known: Float[Tensor, "place point"]
) -> Law:
    return max(laws, key=lambda law: _likelihood(law, apart, known))


def _likelihood(
    law: Law, apart: Float[Tensor, "place point point"], known: Float[Tensor, "place point"]
) -> float:
    """The logarithm of the likelihood under the likeliest variance, up to a constant."""
    white, determinant = _whitened(law, apart, known)
    return -0.5 * known.numel() * math.log(float(white.square().mean()) + 1e-300) - determinant


def _whitened(
    law: Law, apart: Float[Tensor, "place point point"], known: Float[Tensor, "place point"]
) -> tuple[Float[Tensor, "place point"], float]:
    """What the law makes independent, and half the logarithm of the determinant."""
    among = law.covariance(apart)
    among.diagonal(dim1=1, dim2=2).add_(law.noise)
    factor = torch.linalg.cholesky(among)
    white = torch.linalg.solve_triangular(factor, known[..., None], upper=False)[..., 0]
    return white, float(factor.diagonal(dim1=1, dim2=2).log().sum())


def _ranks(count: int, near: int, far: int) -> Int[Tensor, " rank"]:
    """The nearest of so many, and then fewer and fewer."""
    if count <= near + far:
        return torch.arange(count)
    shares = torch.arange(1, far + 1, dtype=torch.float64) / far
    beyond = (near * ((count - 1) / near) ** shares).long()
    return torch.cat([torch.arange(near), beyond]).unique()
