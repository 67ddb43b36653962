"""Samples beside what is predicted and what was there: their mean, and the truth among them."""

from functools import partial

import torch

from npfill import scores
from npfill.evaluate.case import Case
from npfill.evaluate.features import energy, features
from npfill.evaluate.metrics import Score, metric

# Metrics of samples beside the prediction, in the order of reports.
AGREEMENT = ("spread", "mean_of_samples", "beyond", "energy", "sample_psnr")
# The rank of the truth among the samples: the parts of its histogram, in order.
RANKS = tuple(f"rank_{number}" for number in range(1, 6))
# A value counts where samples and truth together span more than a level of 8 bits: which of them
# is the truth does not matter.
_LEVEL = 1 / 255
_LARGEST = 128  # side of pictures whose features are compared


@metric(
    "mean_of_samples",
    "PSNR of the samples' mean",
    "that in the hole less the predictive mean's, in dB; near 0 for many that agree with it",
    2,
)
def _mean_of_samples(case: Case) -> Score | None:
    if case.samples is None:
        return None
    hole = ~case.observed
    own = scores.psnr(case.samples.mean(0), case.pictures, hole)
    gain = own - scores.psnr(case.mean, case.pictures, hole)
    return torch.where(gain.isinf(), torch.nan, gain)  # one of them is exact


@metric(
    "beyond",
    "Truth beyond the samples",
    "share of the hole's values outside the range of the samples, over that of a truth that is one "
    "of them; 1 is right, more is overconfident",
    2,
)
def _beyond(case: Case) -> Score | None:
    ranks = 1 if case.samples is None else len(case.samples) + 1
    low, high = _rank(case, 0.0, 1 / ranks), _rank(case, 1 - 1 / ranks, 1.0)
    return None if low is None or high is None else (low + high) * ranks / 2


@metric(
    "energy",
    "Energy score",
    "distance of samples to the truth less half of that to each other, in features of a fixed "
    "random network of three layers; least for draws from the right posterior",
    4,
)
def _energy(case: Case) -> Score | None:
    if case.samples is None or len(case.samples) < 2 or max(case.pictures.shape[2:]) > _LARGEST:
        return None
    whole = torch.where(~case.observed, case.samples, case.pictures)
    return energy(features(whole), features(case.pictures))


def _rank(case: Case, least: float, most: float) -> Score | None:
    """The share of values whose rank lies in a part; those of a tie are as likely one as another.

    A rank r of 0 to n is spread over r / (n + 1) to (r + 1) / (n + 1).
    """
    if case.samples is None or len(case.samples) < 2:
        return None
    low, high = torch.cat([case.samples, case.pictures.unsqueeze(0)]).aminmax(dim=0)
    counted = (~case.observed & (high - low > _LEVEL)).flatten(1)
    below, ties = (case.samples < case.pictures).sum(0), (case.samples == case.pictures).sum(0)
    first, last = below / (len(case.samples) + 1), (below + ties + 1) / (len(case.samples) + 1)
    inside = (last.clamp(max=most) - first.clamp(min=least)).clamp(min=0) / (last - first)
    return torch.where(counted, inside.flatten(1), 0).sum(1) / counted.sum(1)


for _number, _name in enumerate(RANKS):
    metric(
        _name,
        f"Rank of the truth, part {_number + 1}",
        f"share of the hole's values whose rank among the samples lies in part {_number + 1} of "
        f"{len(RANKS)}, from below them to above; {1 / len(RANKS):g} in each is right",
        tabled=False,
    )(partial(_rank, least=_number / len(RANKS), most=(_number + 1) / len(RANKS)))
