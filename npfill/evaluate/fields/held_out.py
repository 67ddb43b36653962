"""A model on random fields that it was not trained on: its scores, and what calibrates it."""

import torch
from torch import Tensor

from npfill.config import Json
from npfill.context import Context, Targets
from npfill.data.fields import RandomFields
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.seeds import generator

# The gaps that scores are at and that calibrations are fitted to: shares of scattered pixels that
# are seen, and kinds. Fields of the two have different seeds.
_SCORED = (0.01, 0.05, 0.2, 0.6, "clouds", "void", "tracks")
_FITTED = (0.01, 0.05, 0.2, 0.5, 0.9, "clouds", "stripes", "void", "borders", "tracks")
_OF_SCORES, _OF_FITS = 0, 1
# Standard deviations on each side of an interval of 90 %.
WITHIN = 1.6448536269514722
# The floor of the scale, of fields of unit variance; and fields in one pass.
_FLOOR, _TOGETHER = 0.01, 16
# Pixels of each kind of gap that a calibration is fitted to.
_PIXELS = 20_000

Sample = tuple[Tensor, Gaussian, Tensor]


def of_fields(model: NeuralProcess, fields: RandomFields, seed: int = _OF_SCORES) -> Json:
    """Scores of a network on random fields of unit variance, by default those that validate a run.

    They are of the network alone, also where a field follows a law.

    Returns:
        `contexts`, the kinds of gaps, or the share of scattered pixels that are seen; and for each
        of these `mse`, `log_likelihood` in nats per pixel, `floored_log_likelihood`, the same with
        the scale floored at 0.01; `kl`, which is 0; `z_squared`, and `coverage_90`.
    """
    columns: dict[str, list[float]] = {}
    for gap in _SCORED:
        _, predicted, truth = _in_gap(model, fields, gap, seed)
        floored = Gaussian(predicted.mean, predicted.scale.clamp(min=_FLOOR))
        error, z = predicted.mean - truth, (predicted.mean - truth) / predicted.scale
        row = {
            "mse": error.square().mean(),
            "log_likelihood": predicted.log_prob(truth).mean(),
            "floored_log_likelihood": floored.log_prob(truth).mean(),
            "kl": torch.zeros(()),
            "z_squared": z.square().mean(),
            "coverage_90": (z.abs() <= WITHIN).float().mean(),
        }
        for name, value in row.items():
            columns.setdefault(name, []).append(float(value))
    return {"contexts": [f"{gap}" for gap in _SCORED]} | columns


def in_gaps(model: NeuralProcess, fields: RandomFields) -> list[Sample]:
    """Log observed fraction, prediction and truth of some pixels of gaps, for each kind."""
    found = []
    for gap in _FITTED:
        fractions, predicted, truth = _in_gap(model, fields, gap, _OF_FITS)
        order = generator(_OF_FITS, "some", f"{gap}")
        some = torch.randperm(len(truth), generator=order)[:_PIXELS].to(truth.device)
        scales = Gaussian(predicted.mean[:, some], predicted.scale[:, some])
        found.append((fractions[some], scales, truth[some]))
    return found


@torch.no_grad()
def _in_gap(model: NeuralProcess, fields: RandomFields, gap: str | float, seed: int) -> Sample:
    pixels, observed = fields.held_out(gap, seed)
    some = observed.flatten(1).any(1)
    pixels, observed = pixels[some], observed[some]
    targets = Targets.every((fields.side, fields.side), pixels.device)
    fractions, means, scales = [], [], []
    parts = zip(pixels.split(_TOGETHER), observed.split(_TOGETHER), strict=True)
    for values, seen in parts:
        given, hole = NeuralProcess.condition(model, Context(values, seen)), ~seen.flatten(1)
        predicted = given.predict(None, targets)
        means.append(predicted.mean[hole])
        scales.append(predicted.scale[hole])
        fractions.append(given.log_share_at(targets).expand(hole.shape)[hole])
    predicted = Gaussian(torch.cat(means)[None], torch.cat(scales)[None])
    return torch.cat(fractions), predicted, targets.values(pixels)[~observed.flatten(1)]
