"""The protocol of the transformer neural processes, with what makes different floors comparable.

Nguyen and Grover 2022, "Transformer Neural Processes", section 4.2, by their code: test pictures
in order in batches of 16; one number of context pixels from 3 to 196 and one of targets from 3 to
199 less that for a batch, or up to 799 for 64x64; the pixels differ by picture, and no target is in
the context. Latent models are scored by 50 draws of z from the context. Their intensities are less
by 1/2, which changes no density.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from npfill.completion.parameters import check_number
from npfill.context import Context, Targets
from npfill.data.sources import read_images
from npfill.errors import UsageError
from npfill.evaluate.entrants import common_shape, named
from npfill.evaluate.protocol import Estimate
from npfill.evaluate.test_set import test_set_of
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.predictor import NeuralPredictor, Predictor
from npfill.sampling.predictive import mixture
from npfill.scores import floored
from npfill.seeds import generator

FLOORS = (0.0, 0.05, 0.1)
_BATCH, _DRAWS, _FEWEST = 16, 50, 3
# Context and targets are fewer than this together; of pictures that are no longer small, than that.
_SMALL, _FEW, _MANY = 32, 200, 800
_LONG = 1e6  # from which on a number has three digits and an exponent
# Half a level of 8 bits.
_HALF = 0.5 / 255


@dataclass(frozen=True)
class TnpResults:
    """Scores by this protocol.

    Attributes:
        size: Side of the pictures.
        pictures: The number of pictures.
        scores: By model, then by title: nats per target pixel, summed over channels, and bits.
        notes: Sentences on how to read them.
    """

    size: int
    pictures: int
    scores: Mapping[str, Mapping[str, Estimate]]
    notes: tuple[str, ...] = (
        "nats per target pixel, channels summed: mean over targets, pictures and batches",
        "bits per 8-bit value: minus the log of the probability of the level, which alone compares "
        "models of different floors",
    )

    def rows(self) -> list[list[str]]:
        """A table: a head of the models' names, then a row for each score."""
        names = [*self.scores]
        titles = [*self.scores[names[0]]]
        cells = [[title, *(_cell(self.scores[name][title]) for name in names)] for title in titles]
        return [["", *names], *cells]


def _cell(estimate: Estimate) -> str:
    value, error = (
        f"{x:.3g}" if abs(x) >= _LONG else f"{x:.3f}" for x in (estimate.value, estimate.error)
    )
    return value if math.isnan(estimate.error) else f"{value} ± {error}"


def evaluate_tnp(
    models: Sequence[str | Path | NeuralProcess | Predictor],
    data: str | Path,
    *,
    size: int | None = None,
    images: int | None = None,
    seed: int = 0,
    device: str = "auto",
    on_start: Callable[[int], None] = lambda _: None,
    on_batch: Callable[[str, int], None] = lambda *_: None,
) -> TnpResults:
    """Score models by the protocol of the transformer neural processes.

    Args:
        models: Names of models, weights, folders of runs, or networks.
        data: Pictures: their test part is measured, in order; without one, as `evaluate` does.
        size: Side of the grid that pictures are brought to; None for that of the models.
        images: The most pictures; whole batches of 16 are measured. None for all.
        seed: The seed of contexts, targets and draws of z.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        on_start: Called with the number of pictures that are to be predicted in all.
        on_batch: Called after each batch with the model's name and the number of pictures.

    Raises:
        UsageError: A baseline is named, models are for different pictures, or these are too few.
        InputError: The data cannot be read.
        ModelError: A name is unknown, or weights fail verification.
    """
    if images is not None:
        check_number("images", images, like="rounds")
    loaded = {}
    for name, each in named(models, device).items():
        if not isinstance(each, NeuralPredictor):
            raise UsageError(f"{name} is a baseline: it has no such protocol", "name models")
        loaded[name] = each
    if not loaded:
        raise UsageError("`protocol=tnp` measures models that are named", "name some")
    own, channels = common_shape(loaded, Path(data))
    side = size or own
    if side**2 < _FEW:
        raise UsageError(f"pictures of {side}x{side} are too small", "`size=28` enlarges them")
    test = test_set_of(
        Path(data), loaded, partial(read_images, Path(data), size=side, channels=channels)
    )
    pictures = test.pictures[:images]
    assert isinstance(pictures, Tensor)
    whole = len(pictures) // _BATCH * _BATCH
    if not whole:
        few = f"{len(pictures)} {test.part}: a batch has {_BATCH}"
        raise UsageError(few, "`data` or `images` gives more")
    on_start(whole * len(loaded))
    scores = {
        name: _of_model(name, each.model, pictures[:whole], seed, on_batch)
        for name, each in loaded.items()
    }
    found = TnpResults(side, whole, scores)
    return replace(found, notes=(*found.notes, *test.notes))


@torch.no_grad()
def _of_model(
    name: str,
    model: NeuralProcess,
    pictures: UInt8[Tensor, "image channel size size"],
    seed: int,
    on_batch: Callable[[str, int], None],
) -> dict[str, Estimate]:
    """The scores of a model: the mean over batches, with its standard error."""
    device, rows = next(model.parameters()).device, []
    for number, batch in enumerate(pictures.split(_BATCH)):
        pixels = batch.to(device).float() / 255.0
        context, targets = _drawn(pixels, seed, number)
        given = model.condition(context)
        predicted = mixture(given, targets, seed, _DRAWS, f"tnp {number}")
        rows.append(_scores(predicted, targets.values(pixels)))
        on_batch(name, len(batch))
    estimates = {}
    for title in rows[0]:
        values = torch.tensor([row[title] for row in rows], dtype=torch.float64)
        error = values.std().item() / math.sqrt(len(rows)) if len(rows) > 1 else math.nan
        estimates[title] = Estimate(values.mean().item(), error, len(pictures))
    return estimates


def _drawn(
    pixels: Float[Tensor, "batch channel height width"], seed: int, number: int
) -> tuple[Context, Targets]:
    """The context and the targets of a batch."""
    count, (height, width) = len(pixels), pixels.shape[-2:]
    most, random = _FEW if height <= _SMALL else _MANY, generator(seed, "tnp", number)
    seen = int(torch.randint(_FEWEST, most - _FEWEST, (), generator=random))
    asked = int(torch.randint(_FEWEST, most - seen, (), generator=random))
    order = torch.rand(count, height * width, generator=random).argsort(dim=1).to(pixels.device)
    observed = torch.zeros(count, height * width, dtype=torch.bool, device=pixels.device)
    observed.scatter_(1, order[:, :seen], True)
    context = Context(pixels, observed.view(count, 1, height, width), at_most=seen)
    return context, Targets(order[:, seen : seen + asked], (height, width))


def _scores(predicted: Gaussian, truth: Float[Tensor, "batch target channel"]) -> dict[str, float]:
    """The scores of a batch: joint and pointwise at each floor, and in bits of levels."""
    found: dict[str, float] = {}
    for floor in FLOORS:
        each = floored(predicted, floor).log_prob(truth).sum(-1)
        word = f"floor {floor:g}" if floor else "no floor but its own"
        found |= _both(each, f"LL, {word}", 1.0)
    return found | _both(_of_levels(predicted, truth), "bits", -1 / math.log(2) / truth.shape[-1])


def _both(each: Float[Tensor, "draw batch target"], title: str, unit: float) -> dict[str, float]:
    """Log-probabilities of pixels given each z: of all together, per pixel, and one by one."""
    log_count = math.log(len(each))
    joint = (each.sum(-1).logsumexp(0) - log_count) / each.shape[-1]
    alone = each.logsumexp(0) - log_count
    return {
        f"{title}, joint": unit * joint.mean().item(),
        f"{title}, pointwise": unit * alone.mean().item(),
    }


def _of_levels(
    predicted: Gaussian, truth: Float[Tensor, "batch target channel"]
) -> Float[Tensor, "draw batch target"]:
    """The log-probability of the 8-bit levels of a pixel, in nats.

    The level of each channel given those before it: what lies within half a level of it, and for
    levels 0 and 255 all beyond, so that the probabilities of all levels sum to 1.
    """
    mean, scale = predicted.mean.double(), predicted.scale.double()
    truth = truth.double()
    if predicted.factor is not None:
        factor = predicted.factor.double()
        before = factor.tril(-1) @ torch.linalg.inv(factor)
        mean = mean + scale * (((truth - mean) / scale) @ before.mT)
        scale = scale * factor.diagonal()
    low = ((truth - _HALF - mean) / scale).masked_fill(truth < _HALF, -math.inf)
    high = ((truth + _HALF - mean) / scale).masked_fill(truth > 1 - _HALF, math.inf)
    # Far in a tail the two are alike: what is above is minus what is below, mirrored.
    flipped = low > 0
    low, high = torch.where(flipped, -high, low), torch.where(flipped, -low, high)
    below, above = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    return (above + torch.log1p(-(below - above).exp())).sum(-1)
