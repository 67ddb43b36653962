"""The tables of a recipe: what each key means, and the values that it may have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from npfill.config import Length, Range
from npfill.data.holes import FAMILIES, STRUCTURED

_Count = Annotated[int, Range(0, 2**31)]
_Positive = Annotated[int, Range(1, 2**31)]
_Amount = Annotated[float, Range(0, 1e6)]
_Fraction = Annotated[float, Range(0, 1)]


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training data."""

    name: Annotated[str, "Name of the data set; the weights state it."]
    terms: Annotated[str, "Terms of its use; the weights state them too."]
    validation: Annotated[
        _Positive,
        "Number of pictures held out for validation and calibration, the last of the set. Of "
        "photographs with a part `val`, so many of that part are scored.",
    ]
    kind: Annotated[
        Literal["pictures", "fields"],
        "Pictures that are read, or random fields that are drawn without end: no data, no holes.",
    ] = "pictures"
    flip: Annotated[
        bool, "Mirror each picture of one size, left to right, in half of the steps that draw it."
    ] = False


@dataclass(frozen=True, kw_only=True)
class Holes:
    """Context masks of pictures of one size: one family of holes a step, one count outside it."""

    random: Annotated[_Amount, "Weight of steps without a hole: only random pixels."]
    half: Annotated[_Amount, "Weight of steps that hide one of the four halves."]
    box: Annotated[
        _Amount, "Weight of steps that hide a box, its sides 1/4 to 3/4 of the picture's."
    ]
    strokes: Annotated[_Amount, "Weight of steps that hide six thick straight strokes."]
    fewest: Annotated[_Positive, "Smallest number of observed pixels, drawn outside the hole."]
    most: Annotated[_Positive, "Largest number of observed pixels."]
    spread: Annotated[
        Literal["log", "linear"],
        "How the number is spread over fewest .. most: uniform in its log, or uniform.",
    ] = "log"
    whole: Annotated[
        _Fraction, "Fraction of the steps with a hole that observe every pixel outside it."
    ] = 0.0

    def __post_init__(self) -> None:
        _refuse_none_of(self, ("random", *STRUCTURED))
        if self.fewest > self.most:
            raise ValueError(
                f"fewest = {self.fewest}, most = {self.most}", "fewest is no more than most"
            )


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Crops of photographs, and the holes that people bring; one family for each crop."""

    scales: Annotated[
        tuple[float, ...],
        Range(1, 64),
        "Each crop is reduced by one of these factors, whole or not; repeat one to draw it more "
        "often.",
    ]
    grey: Annotated[_Fraction, "Fraction of crops that lose their colours."]
    planes: Annotated[
        _Fraction, "Fraction of crops that are gradients of colour instead, as skies are."
    ]
    scattered: Annotated[_Amount, "Weight of steps with all but scattered pixels hidden."]
    scratches: Annotated[_Amount, "Weight of long thin curves."]
    strokes: Annotated[_Amount, "Weight of strokes of a brush, 6 to 40 pixels wide."]
    text: Annotated[_Amount, "Weight of lines of letters."]
    boxes: Annotated[_Amount, "Weight of a few boxes."]
    blobs: Annotated[_Amount, "Weight of islands and bays of 3 to 60 % of the crop."]
    lines: Annotated[_Amount, "Weight of dead rows or columns."]
    borders: Annotated[_Amount, "Weight of margins around what is observed."]
    revealed: Annotated[
        _Fraction,
        "Fraction of holes (not `scattered`) with some pixels observed, as in the rounds of "
        "autoregressive samples.",
    ] = 0.0
    wide: Annotated[
        _Fraction,
        "Fraction of steps (not `scattered`) with holes at twice the scale, in crops 1.5 times "
        "as large.",
    ] = 0.0
    grain: Annotated[_Fraction, "Fraction of crops that get the noise of a film or sensor."] = 0.0
    bands: Annotated[_Amount, "Weight of bands of rows or columns, 4 to 12 pixels wide."] = 0.0
    structures: Annotated[
        _Fraction, "Fraction of crops that are drawn: lines, letters, checks and textures."
    ] = 0.0

    def __post_init__(self) -> None:
        _refuse_none_of(self, tuple(FAMILIES))
        if self.planes + self.structures > 1:
            raise ValueError("planes + structures is more than 1", "the rest are of photographs")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The loss: of a latent variant the ELBO, of a conditional one the NLL, of a flow its own."""

    beta: Annotated[
        _Amount, "Each pixel's NLL is weighted by scale^beta (β-NLL); 0 is the plain likelihood."
    ]
    targets: Annotated[_Count, "Random pixels scored in a step; 0, or of photographs, all."]
    kl_warmup: Annotated[
        _Count, "Steps over which the KL's weight rises to kl_weight. Latent variants only."
    ]
    observed: Annotated[
        bool,
        "Score observed pixels of pictures of one size too, so that the model learns to give back "
        "what it sees (Kim et al. 2019, section 2.1, where C is a part of T).",
    ] = False
    kl_weight: Annotated[
        _Amount, "Weight of the KL: 1 is the ELBO; a likelihood weighted by scale wants more."
    ] = 1.0
    from_context: Annotated[
        _Fraction,
        "Fraction of the loss that is the mean likelihood over z from q(z | C), as z is drawn "
        "in use.",
    ] = 0.0
    draws: Annotated[
        int,
        Range(1, 1024),
        "Number of z drawn for that mean; of a flow, times and noises for each picture.",
    ] = 1
    decibels: Annotated[
        bool,
        "In place of the NLL, the log of each picture's squared error, so that every hole counts "
        "alike in dB, and the likelihood of the scale alone. Conditional variants only.",
    ] = False
    times: Annotated[
        tuple[float, ...],
        Range(-8, 8),
        Length(2, 2),
        "Mean and std of the logit of a flow's times, from noise at 0 to pictures at 1. What many "
        "pixels have in common is told from noise far below a half.",
    ] = (0.0, 1.0)
    late: Annotated[
        _Fraction, "Fraction of the steps, the last ones, with the two keys that follow."
    ] = 0.0
    late_beta: Annotated[_Amount, "The value of beta in the late steps."] = 0.0
    late_from_context: Annotated[_Fraction, "The value of from_context in the late steps."] = 0.0


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """AdamW, and the average of the weights that is kept."""

    learning_rate: Annotated[_Amount, "Peak of the learning rate."]
    weight_decay: Annotated[_Amount, "Weight decay of AdamW."]
    clip: Annotated[_Amount, "Largest norm of the gradient; larger ones are scaled to it."]
    ema: Annotated[
        float, Range(0, 1 - 1e-9), "Decay of the averaged weights, which are what is saved."
    ]
    only: Annotated[
        str, "The part of the model that is trained, as in `refiner`; the rest stays as it began."
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Length of the training."""

    steps: Annotated[_Positive, "Number of steps."]
    warmup: Annotated[
        _Count, "Steps over which the learning rate rises; then it falls as a cosine."
    ]
    batch: Annotated[
        int, Range(1, 2**16), "Pictures in a step; of photographs, crops of the model's size."
    ]


@dataclass(frozen=True, kw_only=True)
class Run:
    """Seed and rhythm of a run."""

    seed: Annotated[int, Range(0, 2**63 - 1), "Seed of the weights and of every draw."]
    validate_every: Annotated[
        _Positive, "Steps between validations; the best weights so far are kept."
    ]
    save_every: Annotated[_Positive, "Steps between saves, from which an interrupted run goes on."]
    precision: Annotated[
        Literal["float32", "bfloat16", "auto"],
        "Type of matrix products. With `auto` it is bfloat16 where that is measured to be "
        "quicker as a run starts, and the same seed may give other weights.",
    ] = "float32"


def _refuse_none_of(record: object, families: Sequence[str]) -> None:
    """Refuse a record in which no family of holes has a weight."""
    if not any(getattr(record, family) for family in families):
        raise ValueError(
            "no family of holes has a share", f"one of {', '.join(families)} is more than 0"
        )
