"""Predictions checked on the picture itself, and the report of what the check found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from npfill.errors import UsageError
from npfill.notes import News
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import ANGLE

if TYPE_CHECKING:
    from npfill.predictor import Prediction, Predictor, SelfCheck
    from npfill.predictor.adaptation import Budget

    Found = tuple[SelfCheck, float]

Values = Float[np.ndarray, "height width channel"]


@dataclass(frozen=True)
class CheckReport:
    """The findings of the check on the picture itself.

    Attributes:
        pixels: The number of visible pixels that were hidden, predicted and compared; 0 where too
            few are visible, and the standard deviation is the model's own.
        coverage: The share of their values within the model's 90 % interval, before rescaling.
        z_squared: The mean square of their errors in standard deviations of the model.
        factor: The mean factor of the standard deviation in the hole, which follows from them.
        half_width: Rescaled standard deviations on each side of the mean in an interval of the
            confidence; those of a Gaussian are 1.64 for 90 %. Of planes that are completed one by
            one, the mean of theirs.
        grain: The standard deviation of noise, or of the finest texture, in the unit of data; None
            where too few pixels that were compared lie beside visible ones.
        half_widths: The half-width of each channel; () without a check.
    """

    pixels: int
    coverage: float | None = None
    z_squared: float | None = None
    factor: float = 1.0
    half_width: float | None = None
    grain: float | None = None
    half_widths: tuple[float, ...] = ()

    @property
    def line(self) -> str:
        """The findings in a line."""
        if not self.pixels or self.coverage is None:
            return "too few visible pixels to check the std: it is the model's own"
        return (
            f"checked on {self.pixels:,} visible pixels: {100 * self.coverage:.0f} % lie in the "
            f"model's 90 % interval; the std is {self.factor:.2f} times the model's, the interval "
            f"± {self.half_width:.2f} std"
        )

    def as_json(self) -> dict[str, object]:
        """The findings as JSON values."""
        return {
            "pixels": self.pixels,
            "coverage_90": self.coverage,
            "z_squared": self.z_squared,
            "std_factor": self.factor,
            "interval_stds": self.half_width,
            "grain": self.grain,
        }


def predict_checked(
    predictor: "Predictor",
    picture: Values,
    hole: Bool[np.ndarray, "height width"],
    wanted: Bool[np.ndarray, "height width"],
    seed: int,
    *,
    no_check: bool,
    bounded: bool,
    adapt: "Budget" = (0, None),
    plane: int = 0,
    **how: object,
) -> "tuple[Prediction, list[Found], int]":
    """Predict a hole, and rescale the standard deviation by what a check on the picture finds.

    Args:
        predictor: What completes the picture; a baseline is not checked.
        picture: Intensities in [0, 1]; unread where the hole is.
        hole: True where the picture is missing.
        wanted: True where that is asked for.
        seed: That of samples and of what is hidden.
        no_check: Do not check.
        bounded: Nothing is predicted beyond 0 and 1.
        adapt: The steps, or else the seconds, that the network is trained for on the picture.
        plane: The number of a plane that is unrelated to others: each but 0 has draws of its own.
        how: The other options of `Predictor.predict`.

    Returns:
        The prediction; what the check found, if there was one, with the mean factor; and the number
        of steps that the network was trained for on the picture.

    Raises:
        UsageError: The predictor cannot be trained on a picture.
    """
    from npfill.predictor import NeuralPredictor, self_check  # noqa: PLC0415 - loads torch
    from npfill.predictor.best import BestPredictor  # noqa: PLC0415 - loads torch

    how["bounded"], found, steps, told = bounded, None, 0, list[str]()
    if isinstance(predictor, BestPredictor):
        asked = {key: how[key] for key in ("sampler", "rounds", "noise") if key in how}
        predictor.check_sampler(**asked)  # type: ignore[arg-type]
        predictor, found, why = predictor.chosen(picture, hole, seed, wanted, bounded=bounded)
        told = [why]
    if adapt != (0, None):
        from npfill.predictor.adaptation import adapted  # noqa: PLC0415 - for this alone

        if not isinstance(predictor, NeuralPredictor):
            raise UsageError(f"{predictor.name} has no network", "`adapt` trains one")
        predictor, found, outcome = adapted(
            predictor, picture, hole, seed, wanted, budget=adapt, bounded=bounded
        )
        steps, told = outcome.steps, [*told, News(outcome.line)]
    if no_check or not isinstance(predictor, NeuralPredictor):
        found = None
    elif found is None:
        found = self_check(predictor, picture, hole, seed, wanted, bounded=bounded)
    predicted = predictor.predict(
        picture,
        hole,
        seed=seed_of(seed, plane) if plane else seed,
        check=found if found and found.pixels else None,
        wanted=wanted,
        **how,  # type: ignore[arg-type]
    )
    predicted = replace(predicted, notes=(*predicted.notes, *told))
    if found is None:
        return predicted, [], steps
    own, std = predicted.own_std, predicted.std
    factor = 1.0
    if own is not None and std is not None:  # that of a constant channel is next to none
        factor = float((np.where(own > np.finfo(own.dtype).tiny, std, own) / own).mean())
    return predicted, [(found, factor)], steps


def seed_of(seed: int, plane: int) -> int:
    """The seed of the draws of a plane that is unrelated to others, but the first."""
    from npfill.seeds import generator  # noqa: PLC0415 - loads torch

    return generator(seed, "plane", plane).initial_seed()


def report_of(
    found: "Sequence[tuple[slice, Found]]", masked: MaskedPicture, confidence: float
) -> CheckReport | None:
    """The report of the checks of channels that are completed together or one by one.

    Args:
        found: The channels, what a check of them found, and the mean factor in their hole.
        masked: The picture; of data, it has their unit.
        confidence: The probability of intervals.
    """
    checks = [(channels, check, factor) for channels, (check, factor) in found if check.pixels]
    if not checks:
        return CheckReport(0) if found else None
    widths = np.full(masked.picture.colours, NormalDist().inv_cdf(0.5 + confidence / 2))
    for channels, *_ in checks:
        of_part = [check.half_width(confidence) for at, check, _ in checks if at == channels]
        widths[channels] = np.mean(of_part)
    pixels = [check.pixels for _, check, _ in checks]
    # The unit of data; of angles, a sine spans 2 on the scale of intensities.
    unit = masked.width if masked.picture.is_data else np.ones(masked.picture.colours)
    unit = unit / (np.pi if masked.picture.measure == ANGLE else 1)
    grains = ((check.grain, unit[channels].mean()) for channels, check, _ in checks)
    scaled = [grain * scale for grain, scale in grains if grain is not None]
    return CheckReport(
        sum(pixels),
        float(np.average([check.coverage for _, check, _ in checks], weights=pixels)),
        float(np.average([check.z_squared for _, check, _ in checks], weights=pixels)),
        float(np.mean([factor for *_, factor in checks])),
        float(np.mean([check.half_width(confidence) for _, check, _ in checks])),
        float(np.mean(scaled)) if scaled else None,
        tuple(widths.tolist()),
    )
