"""A completed picture: what was predicted of its hole, before it becomes files or arrays."""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from npfill.completion.draw_from import source_of
from npfill.completion.hole import MaskOptions, Prepared, name_of, parts_of
from npfill.completion.kinds import predict_kind
from npfill.completion.parameters import CONFIDENCE, KEYS, OF_ZERO, SamplingOptions
from npfill.completion.self_checked import CheckReport, predict_checked, report_of
from npfill.completion.words import better_model, left_open, sureness
from npfill.errors import UsageError
from npfill.files import json_text
from npfill.memory import refuse_beyond
from npfill.notes import News
from npfill.package import __version__
from npfill.pictures.picture import ANGLE, AUTO, CLASSES, Picture
from npfill.pictures.reach import without
from npfill.pictures.read import MAX_PIXELS

if TYPE_CHECKING:
    from npfill.completion.self_checked import Found
    from npfill.predictor import Prediction, Predictor


@dataclass(frozen=True, eq=False)
class CompletedPicture:
    """A picture, and intensities in [0, 1] that complete it.

    Attributes:
        image: The picture's file as it was named; `-` for one that came through stdin or memory.
        prepared: The picture with its hole.
        sampling: The options of samples.
        model: The name of what completed it.
        word: The word that loads that again.
        sha256: The hash of its file, in hex; None without one.
        device: Where it ran.
        mean: The mean of the predictive distribution in the hole, the picture outside.
        std: Its standard deviation in the hole, 0 outside; None where the model gives none, as
            most baselines.
        samples: Pictures drawn from it; none where a baseline gives no joint distribution.
        notes: Sentences for the user on how it was made.
        strip: What the picture's file says of it is left out.
        max_pixels: The most pixels that were read.
        check: What the check on the picture itself found; None where there was none.
        samples_are: What samples are, in words; "" where the sampler's name says it.
        correlation: That of a pixel's colours; None where it is not known.
    """

    image: str
    prepared: Prepared
    sampling: SamplingOptions
    model: str
    word: str
    sha256: str | None
    device: str
    mean: Float[np.ndarray, "height width channel"]
    std: Float[np.ndarray, "height width channel"] | None
    samples: Float[np.ndarray, "sample height width channel"]
    notes: tuple[str, ...]
    strip: bool = False
    max_pixels: int = MAX_PIXELS
    check: CheckReport | None = None
    samples_are: str = ""
    correlation: Float[np.ndarray, "channel channel"] | None = None

    @property
    def half_width(self) -> Float[np.ndarray, " #channel"]:
        """Standard deviations on each side of an interval's mean, by the check or else Gaussian."""
        own = NormalDist().inv_cdf(0.5 + (self.sampling.confidence or CONFIDENCE) / 2)
        of_each = () if self.check is None else self.check.half_widths
        return np.array(of_each or [own], dtype=np.float32)

    @cached_property
    def still_open(self) -> Bool[np.ndarray, "height width #channel"]:
        """True where a channel stays missing, or, alone or with others, beyond the tolerance."""
        masked, tolerance = self.prepared.masked, self.sampling.tolerance
        if tolerance is None or self.std is None:
            return self.prepared.stays
        kind = masked.picture.measure
        reach = (1 / 2 if kind == CLASSES else self.half_width) * self.std
        wide = 2 * masked.deviation_of_values(reach, self.mean) > tolerance
        if kind not in {ANGLE, CLASSES}:  # as the interval is written, within its limits
            high, low = (self.filled(self.mean + side * reach).values for side in (1, -1))
            wide = (high > low + np.float64(tolerance))[..., : masked.picture.colours]
        if masked.hole.ndim == 2:
            wide = np.logical_or.reduce(wide, axis=-1, keepdims=True)
        return np.asarray((wide & masked.by_channel) | self.prepared.stays)

    def doubt(self, *, verbose: bool) -> list[str]:
        """The findings of the check, and how much stays open, in lines."""
        check, tolerance = self.check, self.sampling.tolerance
        lines = sureness(self.std, self.prepared.masked) + ([check.line] if check else [])
        if verbose and check is not None and check.grain is not None:
            lines.append(f"grain, or the finest texture: std {check.grain:.3g}")
        if tolerance is not None:
            count = int((self.still_open & ~self.prepared.stays).any(axis=-1).sum())
            lines.append(left_open(count, self.sampling, self.prepared.masked.picture))
        return lines

    def filled(self, values: Float[np.ndarray, "height width channel"]) -> Picture:
        """The picture with other values in the hole, and without data that stay missing."""
        prepared, stays = self.prepared, self.prepared.stays
        picture = prepared.masked.filled(values, opaque=prepared.masking.opaque)
        return without(picture, stays) if picture.is_data and stays.any() else picture

    @property
    def says_std(self) -> str:
        """A clause on the mean of the standard deviation, which is another thing of classes."""
        is_class = self.prepared.masked.picture.measure == CLASSES
        name = "mean chance of being wrong" if is_class else "mean std"
        return "" if self.mean_std is None else f"{name} in the hole {self.mean_std:.3g}"

    @property
    def mean_std(self) -> float | None:
        """The mean of the standard deviation in the hole, in the unit of data; None without one."""
        if self.std is None:
            return None
        masked = self.prepared.masked
        values = masked.deviation(self.std, self.mean)[masked.hole]
        power = int(np.frexp(values.max())[1])  # a power of two changes no digit of the mean
        return float(np.ldexp(np.ldexp(values, -power).mean(), power))

    @property
    def text_of_samples(self) -> dict[str, str]:
        """What a PNG says of samples beside the rest."""
        return {"npfill_samples_are": self.samples_are} if self.samples_are else {}

    def _said(self, word: str) -> str:
        """A word for a file as its results say it: if they are stripped, without its folders."""
        return Path(word).name if self.strip and not word.startswith(("color:", "hf:")) else word

    @cached_property
    def text(self) -> dict[str, str]:
        """The entries of a result's PNG; they depend on nothing but what its pixels depend on."""
        masking, sampling = self.prepared.masking, self.sampling
        asked = self.prepared.masked.picture.asked
        words = [self._said(word) for word in masking.words]
        options = {
            **vars(masking),
            "mask": words[0] if len(words) == 1 else words,
            "keep_out": [self._said(word) for word in MaskOptions(masking.keep_out).words],
            "box": [at if isinstance(at, str) else ",".join(map(str, at)) for at in masking.box],
            "mask_label": [str(label) for label in masking.mask_label],
            "model": self._said(self.word),
            **vars(sampling),
            "draw_from": self._said(name_of(sampling.draw_from)) if sampling.draw_from else "",
            **vars(asked),
            "nodata": asked.nodata if np.isfinite(asked.nodata or 0) else str(asked.nodata),
            "kind": asked.kind if asked.kind != AUTO else "",
            "device": self.device,
            "strip": self.strip,
            "max_pixels": self.max_pixels if self.max_pixels != MAX_PIXELS else 0,
        }
        said = {name for name in OF_ZERO if options[name] == 0}
        given = {key: options[name] for name, key in KEYS.items() if options[name] or name in said}
        text = {
            "npfill_version": __version__,
            "npfill_model": self.model,
            "npfill_seed": str(sampling.seed),
            "npfill_sampler": sampling.sampler,
            "npfill_image_sha256": self.prepared.masked.sha256(opaque=masking.opaque),
            "npfill_mask_sha256": self.prepared.sha256,
            "npfill_options": json_text({"image": self._said(self.image)} | given),  # in ASCII
        }
        text |= {} if self.check is None else {"npfill_check": json_text(self.check.as_json())}
        return text if self.sha256 is None else text | {"npfill_model_sha256": self.sha256}


def complete_prepared(
    image: str,
    prepared: Prepared,
    predictor: "Predictor",
    how: SamplingOptions,
    samples: int,
    *,
    strip: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> CompletedPicture:
    """Complete a picture, the channels together, or where the hole differs, one after another.

    Args:
        image: The picture's file as it was named.
        prepared: The picture and its hole.
        predictor: What completes it.
        how: The options of samples.
        samples: The number of samples that are needed, 0 or more.
        strip: What the picture's file says of it is left out.
        max_pixels: The most pixels that were read.

    Raises:
        UsageError: The options of samples are not for this model.
        InputError: The predictor is not for such a picture, or memory does not suffice.
        ModelError: Predictions are not finite, or a package is missing.
    """
    masked, picture = prepared.masked, prepared.masked.picture
    parts, pixels = parts_of(masked), masked.intensities
    if picture.asked.of_data or not (picture.unit and masked.bounded and picture.colours == 3):
        predictor = predictor.on(picture)  # floats in colour are a photograph unasked
    drawn_of = f"{samples:,} samples of {pixels.shape[1]}x{pixels.shape[0]} pixels"
    refuse_beyond(pixels.nbytes * (2 + samples), drawn_of, "fewer `samples`, or a smaller picture")
    pixels[masked.hole] = 0  # becomes the mean
    mean, std, drawn = pixels, np.zeros(pixels.shape, pixels.dtype), pixels[None][:0]
    checks, has_std, are, colours = list[tuple[slice, "Found"]](), True, "", None
    options = {name: getattr(how, name) for name in ("seed", "sampler", "rounds", "noise")}
    options |= {"bounded": masked.bounded, "adapt": how.budget}
    options["no_check"] = how.no_check or picture.measure == CLASSES  # whose std is no such thing
    options["draw_from"] = how.draw_from and source_of(how, picture, max_pixels)

    def predict(asked: np.ndarray, part: np.ndarray, absent: np.ndarray, n: int) -> "Prediction":
        wanted = absent if picture.wraps else asked  # whose columns are in another order
        of = predictor, part, absent, wanted
        predicted, found, steps = predict_checked(*of, samples=n, **options)
        checks.extend((channels, each) for each in found)
        options["adapt"] = steps, None  # of the channels that follow
        return predicted

    notes: list[str] = [News(f"{len(parts)} channels: each by itself")] if len(parts) > 1 else []
    for channels, missing in parts:
        absent = np.logical_or.reduce(masked.hidden[..., channels], axis=-1)
        part = np.ascontiguousarray(pixels[..., channels])
        options["plane"] = plane = (channels.start or 0) if picture.is_data else 0
        of_part, draws = partial(predict, missing), (how, samples, plane)
        predicted = predict_kind(of_part, picture, part, absent, draws)
        if masked.unseen.any():
            predicted = predicted.within(missing[absent])
        drawn = drawn if len(drawn) else pixels[None].repeat(len(predicted.samples), axis=0)
        mean[missing, channels] = predicted.mean
        has_std = predicted.std is not None
        if not has_std and how.tolerance is not None:
            raise UsageError(f"`tolerance`: {predictor.name} gives no std", "name another model")
        std[missing, channels] = 0 if predicted.std is None else predicted.std
        for sample, values in zip(drawn, predicted.samples, strict=True):
            sample[missing, channels] = values
        notes += predicted.notes
        are, colours = are or predicted.samples_are, predicted.correlation
    return CompletedPicture(
        image,
        prepared,
        replace(how, adapt=options["adapt"][0]),
        *(predictor.name, predictor.word, predictor.sha256, predictor.device),
        mean,
        std if has_std else None,
        drawn,
        tuple(dict.fromkeys([*better_model(picture, predictor.name), *notes])),
        strip,
        max_pixels,
        report_of(checks, masked, how.confidence or CONFIDENCE),
        are,
        colours if len(parts) == 1 else None,
    )
