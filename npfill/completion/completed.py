"""A completed picture: what was predicted of its hole, before it becomes files or arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from npfill.completion.hole import Prepared
from npfill.completion.options import SamplingOptions
from npfill.completion.provenance import Making
from npfill.errors import UsageError
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture

if TYPE_CHECKING:
    from npfill.predictor import Predictor


@dataclass(frozen=True, eq=False)
class CompletedPicture:
    """A picture, and intensities in [0, 1] that complete it.

    Attributes:
        masked: The picture with its hole.
        making: How it was completed.
        mean: The mean of the predictive distribution in the hole, the picture outside.
        std: Its standard deviation in the hole, 0 outside; None where the model gives none, as
            most baselines.
        samples: Pictures drawn from it; none where a baseline gives no joint distribution.
        notes: Sentences for the user on how it was made.
    """

    masked: MaskedPicture
    making: Making
    mean: Float[np.ndarray, "height width channel"]
    std: Float[np.ndarray, "height width channel"] | None
    samples: Float[np.ndarray, "sample height width channel"]
    notes: tuple[str, ...]

    def filled(self, values: Float[np.ndarray, "height width channel"]) -> Picture:
        """The picture with other values in the hole, and nothing changed outside it."""
        return self.masked.filled(values, opaque=self.making.masking.is_alpha)


def complete_prepared(
    image: str,
    prepared: Prepared,
    predictor: "Predictor",
    how: SamplingOptions,
    samples: int,
) -> CompletedPicture:
    """Complete a picture, the channels together, or where the hole differs, one after another.

    Args:
        image: The picture's file as it was named; `-` for one that came through stdin or memory.
        prepared: The picture and its hole.
        predictor: What completes it.
        how: The options of samples.
        samples: The number of samples that are needed.

    Raises:
        UsageError: The number is negative, or the options of samples are not for this model.
        InputError: The predictor is not for such a picture, or memory runs out.
        ModelError: Predictions are not finite, or a package is missing.
    """
    if samples < 0:
        raise UsageError(f"{samples} samples", "0 or more can be drawn")
    masked = prepared.masked
    parts = _parts(masked)
    pixels = masked.intensities
    pixels[np.broadcast_to(masked.by_channel, pixels.shape)] = 0  # never seen
    mean, std = pixels.copy(), np.zeros_like(pixels)
    drawn = pixels[None][:0]
    has_std = True
    notes = [f"{len(parts)} channels: each is completed by itself"] if len(parts) > 1 else []
    for channels, missing in parts:
        predicted = predictor.predict(
            np.ascontiguousarray(pixels[..., channels]),
            missing,
            samples=samples,
            seed=how.seed,
            sampler=how.sampler,
            rounds=how.rounds,
            noise=how.noise,
        )
        if len(drawn) < len(predicted.samples):
            drawn = pixels[None].repeat(len(predicted.samples), axis=0)
        mean[missing, channels] = predicted.mean
        has_std = predicted.std is not None
        if predicted.std is not None:
            std[missing, channels] = predicted.std
        for picture, values in zip(drawn, predicted.samples, strict=True):
            picture[missing, channels] = values
        notes += predicted.notes
    unique = tuple(dict.fromkeys(notes))
    making = Making(
        image,
        prepared.masking,
        prepared.hole,
        how,
        predictor.name,
        predictor.word,
        predictor.sha256,
        predictor.device,
    )
    return CompletedPicture(masked, making, mean, std if has_std else None, drawn, unique)


def _parts(masked: MaskedPicture) -> list[tuple[slice, Bool[np.ndarray, "height width"]]]:
    """The channels that are completed together, each with where it is missing."""
    hole = masked.hole
    if hole.ndim == 2:
        return [(slice(None), hole)]
    channels = range(hole.shape[-1])
    return [(slice(c, c + 1), hole[..., c]) for c in channels if hole[..., c].any()]
