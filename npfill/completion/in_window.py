"""The prediction of a window of a raster, whose std a check over many windows rescales."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from npfill.completion.hole import parts_of
from npfill.completion.parameters import SamplingOptions
from npfill.completion.self_checked import seed_of
from npfill.files import json_text
from npfill.pictures.masked import MaskedPicture

if TYPE_CHECKING:
    from npfill.predictor import Predictor
    from npfill.predictor.rescaled import Rescaling
    from npfill.predictor.self_check import Compared

# The places that are checked in all.
_PLACES = 24


@dataclass(frozen=True)
class Window:
    """A window of a raster, with what is around it.

    Attributes:
        masked: The data, and all of their holes.
        own: Rows and columns of the window itself.
        corner: Row and column of the first pixel around it, in the raster.
        wanted: True where a value is missing that may be filled.
        near: True where what is observed of the same channel is near enough to fill it.
    """

    masked: MaskedPicture
    own: tuple[slice, slice]
    corner: tuple[int, int]
    wanted: Bool[np.ndarray, "rows columns #channel"]
    near: Bool[np.ndarray, "rows columns #channel"]

    @cached_property
    def inside(self) -> Bool[np.ndarray, "rows columns"]:
        """True in the window itself."""
        inside = np.zeros(self.masked.picture.size, dtype=bool)
        inside[self.own] = True
        return inside


@dataclass(frozen=True)
class Rescalings:
    """The rescaling of the std by errors over a raster, of channels that are completed together.

    Attributes:
        found: The rescaling by the first channel and the one after the last.
    """

    found: "dict[tuple[int, int], Rescaling]"

    @classmethod
    def by(
        cls, windows: Iterable[Window], count: int, predictor: "Predictor", how: SamplingOptions
    ) -> "Rescalings":
        """Hide visible pixels in some windows of a raster, and compare.

        Args:
            windows: Those to choose from; of the first that have a hole some places are taken.
            count: The number of windows of the raster.
            predictor: What completes them; a baseline is not checked.
            how: The seed, on which depends what is hidden, and if there is a check.
        """
        from npfill.predictor import NeuralPredictor  # noqa: PLC0415 - loads torch
        from npfill.predictor.rescaled import rescaling  # noqa: PLC0415
        from npfill.predictor.self_check import compared, hide  # noqa: PLC0415

        if how.no_check or not isinstance(predictor, NeuralPredictor):
            return cls({})

        errors: dict[tuple[int, int], list[Compared]] = defaultdict(list)
        each, left = max(1, _PLACES // count), _PLACES
        for window in windows:
            masked = window.masked
            if left <= 0:
                break
            if not masked.by_channel[window.own].any():
                continue
            left -= each
            for channels, missing in parts_of(masked):
                absent = np.logical_or.reduce(masked.hidden[..., channels], axis=-1)
                pixels = _seen(masked)
                hidden, _ = hide(absent, how.seed, missing & window.inside)
                part = np.ascontiguousarray(pixels[..., channels])
                given = predictor, part, absent, hidden[:each], how.seed
                found = compared(*given, bounded=masked.bounded)
                if found is not None:
                    off, stds, classes, at = found
                    errors[_key(channels, masked)].append((off, stds, classes, at + window.corner))
        joined = {}
        for key, some in errors.items():
            *values, at = (np.concatenate(part) for part in zip(*some, strict=True))
            once = np.sort(np.unique(at, axis=0, return_index=True)[1])  # windows overlap
            joined[key] = rescaling(*(part[once] for part in (*values, at)))
        return cls(joined)

    def as_text(self) -> str:
        """All of it as JSON."""
        found = [
            [*key, each.levels.tolist(), each.slope, each.centre, *each.ends, each.floors.tolist()]
            for key, each in self.found.items()
        ]
        return json_text(found)

    @classmethod
    def from_text(cls, text: str) -> "Rescalings":
        """Those of such a text."""
        from npfill.predictor.rescaled import Rescaling  # noqa: PLC0415 - loads torch

        found = {}
        for first, last, levels, slope, centre, low, high, floors in json.loads(text):
            ends = low, high
            found[first, last] = Rescaling(np.array(levels), slope, centre, ends, np.array(floors))
        return cls(found)


def predicted(
    masked: MaskedPicture, predictor: "Predictor", how: SamplingOptions, rescalings: Rescalings
) -> tuple[
    Float[np.ndarray, "rows columns channel"], Float[np.ndarray, "rows columns channel"] | None
]:
    """Intensities that complete a window, and their std, 0 outside the hole; None without any."""
    from npfill.predictor.best import BestPredictor  # noqa: PLC0415 - loads torch
    from npfill.predictor.hidden import around_hole  # noqa: PLC0415
    from npfill.predictor.self_check import SelfCheck  # noqa: PLC0415

    pixels = _seen(masked)
    mean, std, has_std = pixels.copy(), np.zeros_like(pixels), True
    for channels, missing in parts_of(masked):
        absent, check = np.logical_or.reduce(masked.hidden[..., channels], axis=-1), None
        if rescale := rescalings.found.get(_key(channels, masked)):
            check = SelfCheck(1, rescaling=rescale, hole=around_hole(absent))
        part, taken = np.ascontiguousarray(pixels[..., channels]), predictor
        if isinstance(predictor, BestPredictor):
            of = part, absent, how.seed, missing
            taken, found, _ = predictor.chosen(*of, bounded=masked.bounded)
            check = None if how.no_check else found
        plane = _key(channels, masked)[0] if masked.picture.is_data else 0
        own = seed_of(how.seed, plane) if plane else how.seed
        given = taken.predict(part, absent, seed=own, check=check, bounded=masked.bounded)
        given = given.within(missing[absent])
        mean[missing, channels] = given.mean
        has_std = given.std is not None
        std[missing, channels] = 0 if given.std is None else given.std
    return mean, std if has_std else None


def _key(channels: slice, masked: MaskedPicture) -> tuple[int, int]:
    first, last, _ = channels.indices(masked.picture.colours)
    return first, last


def _seen(masked: MaskedPicture) -> Float[np.ndarray, "rows columns channel"]:
    pixels = masked.intensities
    pixels[masked.hidden] = 0
    return pixels
