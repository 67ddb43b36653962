"""The table of metrics: every score that an evaluation takes, on grids and on photographs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from operator import attrgetter

import torch
from jaxtyping import Float
from torch import Tensor

from npfill import scores
from npfill.evaluate import classifier
from npfill.evaluate.case import Case
from npfill.gaussian import Gaussian
from npfill.sampling import SAMPLERS
from npfill.scores import COMMON_FLOOR

LEVELS = tuple(number / 10 for number in range(1, 10))
Score = Float[Tensor, " batch"]
Compute = Callable[[Case], Score | None]


@dataclass(frozen=True)
class Metric:
    """A score of predictions.

    Attributes:
        name: Its key in `METRICS` and in results.
        title: Its heading in reports.
        meaning: What it measures and how to read it; may follow a colon.
        compute: One value for each picture, NaN where a picture has none; None where predictions
            lack what it needs.
        decimals: Decimals in tables.
        tabled: Show it in reports; other metrics are in results alone.
    """

    name: str
    title: str
    meaning: str
    compute: Compute
    decimals: int = 3
    tabled: bool = True


METRICS: dict[str, Metric] = {}


def scores_of(case: Case) -> dict[str, Score]:
    """Every metric of `METRICS` that a batch of predictions has, by name."""
    values = {name: metric.compute(case) for name, metric in METRICS.items()}
    return {name: value for name, value in values.items() if value is not None}


def metric(
    name: str, title: str, meaning: str, decimals: int = 3, *, tabled: bool = True
) -> Callable[[Compute], Compute]:
    """Enter the decorated function into `METRICS`; see `Metric`."""

    def enter(compute: Compute) -> Compute:
        METRICS[name] = Metric(name, title, meaning, compute, decimals, tabled)
        return compute

    return enter


@metric("mse", "MSE", "mean squared error in the hole; lower is better", 4)
def _mse(case: Case) -> Score:
    return scores.squared_error(case.prediction.mean, case.truth, case.target)


@metric("psnr", "PSNR", "that in the hole in dB, infinite of an exact picture; higher is better", 2)
def _psnr(case: Case) -> Score:
    return scores.psnr(case.mean, case.pictures, ~case.observed)


@metric("ssim", "SSIM", "structural similarity, averaged in the hole; higher is better")
def _ssim(case: Case) -> Score | None:
    if min(case.pictures.shape[2:]) < scores.SSIM_LEAST:
        return None
    return scores.ssim(case.mean, case.pictures, ~case.observed)


def _joint(case: Case, number: int) -> Score | None:
    both = case.prediction.likelihoods
    return None if both is None else both[number]


def _pointwise(case: Case, scaled: Callable[[Gaussian], Gaussian]) -> Score | None:
    parts = case.prediction.components
    if parts is None:
        return None
    return scores.pointwise_log_likelihood(scaled(parts), case.truth, case.target)


def _standardised(moments: Gaussian | None, case: Case) -> Score | None:
    return None if moments is None else scores.z_squared(moments, case.truth, case.target)


_OWN = "nats per target pixel, with the scale as it is"
_FLOOR = f"nats per target pixel, with the scale floored at {COMMON_FLOOR}"
_LL, _BY_PIXEL, _AT_FLOOR = "LL, joint", "LL, pointwise", f", floor {COMMON_FLOOR}"
_densities = "; ".join(f"{sampler.name}, {sampler.density}" for sampler in SAMPLERS.values())
_of_samplers = f"{_OWN}; of a sampler, that of its distribution: {_densities}"
metric("log_likelihood", _LL, _of_samplers)(partial(_joint, number=0))
metric("floored_log_likelihood", _LL + _AT_FLOOR, _FLOOR)(partial(_joint, number=1))
metric("pointwise", _BY_PIXEL, _OWN)(partial(_pointwise, scaled=lambda parts: parts))
metric("floored_pointwise", _BY_PIXEL + _AT_FLOOR, _FLOOR)(
    partial(_pointwise, scaled=scores.floored)
)
metric("z_squared", "z²", "mean standardised squared error; 1 is calibrated", 2)(
    lambda case: _standardised(case.moments, case)
)
metric("uncalibrated_z_squared", "z² before calibration or check", "1 is calibrated", 2)(
    lambda case: _standardised(case.uncalibrated_moments, case)
)


def _coverage(case: Case, level: float, between: bool, calibrated: bool) -> Score | None:
    centrality = case.centrality(calibrated=calibrated)
    if centrality is None:
        return None
    counted = case.target.unsqueeze(-1).expand_as(case.truth)
    if between:
        counted = counted & (case.truth > 0.0) & (case.truth < 1.0)
    return scores.coverage(centrality, counted, level)


for _calibrated, _between, _level in product((True, False), (False, True), LEVELS):
    _of = "intensities strictly between 0 and 1" if _between else "intensities"
    _per_cent = f"{100 * _level:.0f}"
    metric(
        f"{'' if _calibrated else 'uncalibrated_'}coverage_{_per_cent}"
        f"{'_between' if _between else ''}",
        f"Coverage, {_per_cent} %{', between' if _between else ''}"
        f"{'' if _calibrated else ', before calibration'}",
        f"fraction of the {_of} that lie in the central interval of {_per_cent} %",
        2,
        tabled=_level in {0.5, 0.9} and (_calibrated or _between),
    )(partial(_coverage, level=_level, between=_between, calibrated=_calibrated))


@metric("context_mse", "MSE at the context", "error at the observed pixels themselves", 5)
def _context_mse(case: Case) -> Score | None:
    if not case.prediction.predicts_context:
        return None
    return scores.squared_error(case.prediction.mean, case.truth, ~case.target)


@metric(
    "edge_correlation",
    "Edge correlation",
    "correlation in the hole between std and the magnitude of the truth's gradient",
)
def _edge_correlation(case: Case) -> Score | None:
    if case.moments is None or min(case.pictures.shape[2:]) < 2:
        return None
    std = case.moments.scale.mT.reshape(case.pictures.shape)
    return scores.edge_correlation(std, case.pictures, ~case.observed)


@metric("diversity", "Diversity", "mean distance of two samples in the hole, as RMS")
def _diversity(case: Case) -> Score | None:
    if case.samples is None or len(case.samples) < 2:
        return None
    return scores.diversity(case.samples, ~case.observed)


@metric(
    "coherence",
    "Coherence",
    "correlation of neighbouring pixels' deviations from the mean, in samples; 0 is noise",
)
def _coherence(case: Case) -> Score | None:
    if case.samples is None:
        return None
    return scores.coherence(case.samples, case.mean, ~case.observed)


@metric("confidence", "Confidence of samples", "mean probability of a classifier's digit")
def _confidence(case: Case) -> Score | None:
    return None if case.digits is None else classifier.confidence(case.digits).mean(0)


@metric("mean_confidence", "Confidence of the mean", "the same of the mean")
def _mean_confidence(case: Case) -> Score | None:
    if case.digits is None:
        return None
    return classifier.confidence(torch.where(~case.observed, case.mean, case.pictures))


@metric("real_confidence", "Confidence of real pictures", "the same of the test pictures")
def _real_confidence(case: Case) -> Score | None:
    return None if case.digits is None else classifier.confidence(case.pictures)


@metric(
    "label_entropy",
    "Label entropy",
    "entropy in nats of the digits that a classifier sees in a picture's samples",
    2,
)
def _label_entropy(case: Case) -> Score | None:
    return None if case.digits is None else classifier.label_entropy(case.digits)


metric("seconds", "Seconds a picture", "mean and std, with the load of this machine", 2)(
    attrgetter("prediction.seconds")
)
metric("sample_seconds", "Seconds a sample", "one picture at a time, with this machine's load")(
    attrgetter("prediction.sample_seconds")
)
metric("kl", "KL", "KL(q(z | all pixels) || q(z | C)), nats per picture", 1)(
    attrgetter("prediction.kl")
)
