"""A model on pictures held out of training: its scores, and the calibration that fits it."""

import math
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from npfill.config import Json
from npfill.context import Context, Targets
from npfill.data import MaskedImages, Photographs, parted
from npfill.data.fields import RandomFields
from npfill.evaluate.contexts import ContextKind, counts_for, kind, parse
from npfill.evaluate.correlation import fit_correlation, mean_of, minimised
from npfill.evaluate.fields.held_out import in_gaps
from npfill.evaluate.predictions import GridModel
from npfill.gaussian import Gaussian, mixture_moments
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.scores import squared_error
from npfill.seeds import generator

# Of the calibration: draws of z, and pictures in one pass.
_DRAWS = 16
_PICTURES_TOGETHER = 16
_SEED = 0
# z² may lie within this factor of 1; the weight of the excess.
_BAND, _PENALTY = 1.1, 100.0
# Large pictures: only as many are used as have this many pixels together.
_PIXELS = 400_000
# Intensities of each kind of context that are fitted to: bounds the memory.
_VALUES = 200_000
# Scores, and contexts of photographs that they are taken with, of the centre, so many pixels wide.
_SCORES = ("mse", "log_likelihood", "floored_log_likelihood", "kl")
_SCORED_DAMAGES, _CENTRE = "keep,scratches,text,strokes", 224
# The contexts that the calibration is fitted to: on a grid beside random counts, of photographs.
_HIDDEN = "top-half,left-half,centre-box"
_FITTED_DAMAGES = "keep,text,scratches,strokes,boxes,blobs,borders"

Images: TypeAlias = UInt8[Tensor, "image channel size size"] | MaskedImages
# Log observed fraction of pixels in holes, their predictions "draw pixel channel", and the truth.
_Sample = tuple[Tensor, Gaussian, Tensor]


def calibrate(
    model: NeuralProcess, pictures: Images | Photographs | RandomFields
) -> tuple[float, float]:
    """Fit and set the (a, b) of a model's calibration: scale x exp(a + b log fraction observed).

    They maximise the mean pointwise log-likelihood over contexts (the protocol's random counts and
    its hidden parts; of photographs, the kinds of holes that people bring), subject to a z² within
    a factor of 1.1 of 1 in each; the constraint is a penalty. For one Gaussian a pixel the best
    likelihood has a z² of 1 by itself; for a mixture over z it has not. The correlation of the
    channels maximises the likelihood of whole pixels, with that calibration.

    Args:
        model: The model, in evaluation mode. Its calibration and the correlation of its channels
            are replaced.
        pictures: Validation pictures, bytes, on the model's device; of large ones on a grid the
            first few.

    Returns:
        a and b.
    """
    samples = _samples(model, pictures)
    fitted = minimised(2, lambda at: mean_of(_loss(at, model.widest, *each) for each in samples))
    model.calibration.copy_(fitted)
    _correlate(model, samples)
    offset, slope = fitted.tolist()
    return offset, slope


def correlate(model: NeuralProcess, pictures: Images | Photographs | RandomFields) -> None:
    """Fit and set the correlation of a model's channels alone: its calibration stays."""
    fitted = model.calibration.clone()
    samples = _samples(model, pictures)
    model.calibration.copy_(fitted)
    _correlate(model, samples)


def _samples(model: NeuralProcess, pictures: Images | Photographs | RandomFields) -> list[_Sample]:
    """What there is to fit to, as the model predicts it uncalibrated, for each kind of context."""
    model.calibration.zero_()
    model.correlation = ()
    if isinstance(pictures, RandomFields):
        return in_gaps(model, pictures)
    if isinstance(pictures, Photographs):
        return [_in_holes(model, pictures, each) for each in parse(_FITTED_DAMAGES, None)]
    size = parted(pictures)[0].shape[-1]
    some = pictures[: max(1, _PIXELS // size**2)]
    kinds = [*(kind(f"random:{count}") for count in counts_for(size)), *parse(_HIDDEN, size)]
    found = [_predictions(model, some, each) for each in kinds]
    # Where pictures have holes of their own, a context may leave nothing to predict.
    return [sample for sample in found if len(sample[-1])]


def _correlate(model: NeuralProcess, samples: list[_Sample]) -> None:
    """Set the correlation of the channels where there are several."""
    if model.config.channels > 1:
        calibration, widest = model.calibration.double(), model.widest
        scaled = [(_scaled(calibration, widest, at, parts), truth) for at, parts, truth in samples]
        model.correlation = fit_correlation(scaled)


def _scaled(
    calibration: Float[Tensor, " 2"], widest: float, log_fraction: Tensor, components: Gaussian
) -> Gaussian:
    """The components with their scale calibrated."""
    factor = (calibration[0] + calibration[1] * log_fraction).exp().unsqueeze(-1)
    return Gaussian(components.mean, (components.scale * factor).clamp(max=widest))


def _loss(
    calibration: Float[Tensor, " 2"],
    widest: float,
    log_fraction: Float[Tensor, " pixel"],
    components: Gaussian,
    truth: Float[Tensor, "pixel channel"],
) -> Float[Tensor, ""]:
    """Negative pointwise log-likelihood, plus a penalty on a z² outside its band."""
    scaled = _scaled(calibration, widest, log_fraction, components)
    likelihood = scaled.log_prob(truth).logsumexp(0) - math.log(len(components.mean))
    moments = mixture_moments(scaled)
    z_squared = ((truth - moments.mean) / moments.scale).square().mean()
    excess = (z_squared.log().abs() - math.log(_BAND)).clamp(min=0.0)
    return -likelihood.mean() + _PENALTY * excess.square()


@torch.no_grad()
def _predictions(model: NeuralProcess, images: Images, context: ContextKind) -> _Sample:
    """Predictions of pictures on a grid with one kind of context."""
    whole, known = parted(images)
    size = whole.shape[-1]
    drawn = context.observed(len(images), (size, size), _SEED).to(images.device)
    known = torch.ones_like(drawn) if known is None else known
    targets = Targets.every((size, size), images.device)
    fractions, means, scales, truths = [], [], [], []
    chunks = (batch.split(_PICTURES_TOGETHER) for batch in (whole, drawn & known, known))
    for some, observed, there in zip(*chunks, strict=True):
        pixels = some.float() / 255.0
        given = model.condition(Context(pixels, observed))
        z = None if given.latent is None else draws(given.latent, _SEED, "calibration", _DRAWS)
        predicted, hole = given.predict(z, targets), (there & ~observed).flatten(1)
        means.append(predicted.mean[..., hole, :])
        scales.append(predicted.scale[..., hole, :])
        truths.append(targets.values(pixels)[hole])
        fractions.append(given.log_share_at(targets).expand(hole.shape)[hole])
    truth = torch.cat(truths)
    order = generator(_SEED, "calibration", context.name)
    most = _VALUES // truth.shape[-1]
    some = torch.randperm(len(truth), generator=order)[:most].to(truth.device)
    mean, scale = (
        torch.cat(each, dim=-2)[..., some, :].view(-1 if len(some) else 1, *truth[some].shape)
        for each in (means, scales)
    )
    return torch.cat(fractions)[some], Gaussian(mean, scale), truth[some]


@torch.no_grad()
def _in_holes(model: NeuralProcess, photographs: Photographs, context: ContextKind) -> _Sample:
    """Predictions of photographs with one kind of context, the same number for each."""
    fractions, means, scales, truths = [], [], [], []
    for number, picture in enumerate(photographs.pictures):
        size = picture.shape[-2], picture.shape[-1]
        observed = context.observed(1, size, _SEED, first=number).to(picture.device)
        index = (~observed).flatten().nonzero().squeeze(1)
        order = generator(_SEED, "calibration", context.name, number)
        some = torch.randperm(len(index), generator=order)[: _VALUES // len(photographs)]
        targets = Targets(index[some.to(index.device)], size)
        pixels = picture[None].float() / 255.0
        given = model.condition(Context(pixels, observed))
        predicted = model.predict(given.encoded, None, targets)
        means.append(predicted.mean[0])
        scales.append(predicted.scale[0])
        truths.append(targets.values(pixels)[0])
        fractions.append(given.log_share_at(targets).expand(1, len(targets.index))[0])
    mean, scale = torch.cat(means), torch.cat(scales)
    return torch.cat(fractions), Gaussian(mean[None], scale[None]), torch.cat(truths)


@torch.no_grad()
def at_random_counts(model: NeuralProcess, images: Images, latents: int) -> Json:
    """Scores at each of the protocol's numbers of random context pixels.

    Args:
        model: The model, in evaluation mode.
        images: Held-out pictures, bytes, on the model's device; of large ones the first few.
        latents: Draws of z from q(z | C), for a latent variant.

    Returns:
        `counts`, and for each of them `mse`; `log_likelihood`, joint, in nats per target pixel,
        with the model's own floor under the scale; `floored_log_likelihood`, the same with a floor
        of 0.1; `kl`, of q(z | all pixels) from q(z | C) in nats per picture, 0 for a conditional
        variant.
    """
    whole, known = parted(images)
    size = whole.shape[-1]
    counts, most = counts_for(size), max(1, _PIXELS // size**2)
    some, known = whole[:most], None if known is None else known[:most]
    predictor, shape = GridModel(model, latents, _SEED), (size, size)
    masks = [kind(f"random:{count}").observed(len(some), shape, _SEED) for count in counts]
    rows = [_row(predictor, some, observed, known) for observed in masks]
    return {"counts": list(counts)} | _columns(rows)


@torch.no_grad()
def of_photographs(model: NeuralProcess, photographs: Photographs) -> Json:
    """Scores of a model for photographs, on the centre squares of held-out ones.

    Returns:
        `contexts`, the names of the kinds of contexts, and for each of these the scores that
        `at_random_counts` gives.
    """
    images = torch.stack(photographs.centres(_CENTRE).pictures)
    predictor, kinds = GridModel(model, 1, _SEED), parse(_SCORED_DAMAGES, None)
    masks = [each.observed(len(images), (_CENTRE, _CENTRE), _SEED) for each in kinds]
    rows = [_row(predictor, images, observed) for observed in masks]
    return {"contexts": [each.name for each in kinds]} | _columns(rows)


def _columns(rows: list[list[float]]) -> dict[str, list[float]]:
    return dict(zip(_SCORES, map(list, zip(*rows, strict=True)), strict=True))


def _row(
    predictor: GridModel,
    images: UInt8[Tensor, "image channel size size"],
    observed: Bool[Tensor, "image 1 size size"],
    known: Bool[Tensor, "image 1 size size"] | None = None,
) -> list[float]:
    """The scores with one kind of context, in the order of `_SCORES`."""
    chunk = predictor.chunk(images.shape[-1] ** 2)
    everywhere = torch.ones_like(observed) if known is None else known
    rows = []
    chunks = (each.split(chunk) for each in (images, observed, everywhere))
    for some, drawn, there in zip(*chunks, strict=True):
        pixels, known_here = some.float() / 255.0, there.to(some.device)
        seen = drawn.to(some.device) & known_here
        prediction = predictor.predict(pixels, seen, known_here)
        assert prediction.likelihoods is not None
        target = (known_here & ~seen).flatten(1)
        error = squared_error(prediction.mean, pixels.flatten(2).mT, target)
        kl = torch.zeros_like(error) if prediction.kl is None else prediction.kl
        # A picture without a pixel that is known and not observed has no score.
        rows.append(torch.stack([error, *prediction.likelihoods, kl])[:, target.any(1)])
    return torch.cat(rows, dim=1).mean(1).tolist()
