"""The card of shipped weights: what they are, what they cost, and every score."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from npfill import checkpoint, zoo
from npfill.checkpoint import Weights
from npfill.evaluate.contexts import ContextKind, grid_protocol
from npfill.evaluate.figures import row_of
from npfill.evaluate.metrics import METRICS
from npfill.evaluate.report import OF_SAMPLERS
from npfill.files import folder, write_bytes
from npfill.models import NeuralProcess
from npfill.models.flownp import FlowNP
from npfill.pictures.picture import intensities
from npfill.pictures.sheet import contact_sheet
from npfill.predictor import load
from npfill.scores import COMMON_FLOOR
from npfill.zoo import Entry
from tools.stages import origin

# The columns of the card's table: a title, a score and its decimals.
_COLUMNS = (
    ("MSE", "mse", 4),
    ("PSNR", "psnr", 2),
    ("SSIM", "ssim", 3),
    ("LL", "log_likelihood", 3),
    (f"LL, floor {COMMON_FLOOR}", "floored_log_likelihood", 3),
    (f"pointwise, floor {COMMON_FLOOR}", "floored_pointwise", 3),
    ("z²", "z_squared", 2),
    ("z² before", "uncalibrated_z_squared", 2),
    ("in 50 %", "coverage_50_between", 2),
    ("in 90 %", "coverage_90_between", 2),
    ("KL", "kl", 1),
)


def write_cards() -> list[Path]:
    """Write the card of every row of the zoo again, from what its weights carry."""
    paths = []
    for name, entry in zoo.shipped().items():
        path = folder("pretrained") / f"{name}.md"
        weights = checkpoint.load(zoo.find(name).path)
        write_bytes(path, card_text(name, entry, weights).encode())
        paths.append(path)
    return paths


def card_text(name: str, entry: Entry, weights: Weights) -> str:
    """The text of a model's card, from its row and what its weights carry."""
    if isinstance(weights.model, FlowNP):
        return flow_card(name, entry, weights.provenance, weights.model)
    text = photograph_card if entry.psnr else field_card if entry.contexts else card
    return text(name, entry, weights.provenance, weights.model)


def card(name: str, entry: Entry, provenance: dict[str, Any], model: NeuralProcess) -> str:
    """The card's text, as Markdown."""
    size = f"trained at {entry.size}x{entry.size}"
    return f"""{head(name, entry, provenance, model, size)}

## Scores

On test pictures, with all pixels outside the context as targets and z from the context. LL is in
nats per target pixel: joint with the scale as it is, joint and pointwise with a floor of
{COMMON_FLOOR} under it. z² is 1 where the scale is right; beside it what it was before calibration.
Then the share of intensities strictly between 0 and 1 in the central intervals of 50 % and 90 %. KL
is what the whole picture would tell of z beyond the context, in nats; a variant without z has none.
`top-half`, `left-half` and `centre-box` are hidden.

{_table(provenance["scores"], entry.size)}
"""


def photograph_card(
    name: str, entry: Entry, provenance: dict[str, Any], model: NeuralProcess
) -> str:
    """The card's text for a model of photographs, as Markdown."""
    size = f"of any size; trained on crops of {entry.size}x{entry.size}"
    scores = provenance["scores"]
    # Metadata are sorted; the row has the order of the kinds, and the numbers of the first place.
    places = sorted(scores, key=lambda place: _psnr(scores[place], entry) != entry.psnr)
    tables = [_photograph_table(place, scores[place], entry.contexts) for place in places]
    return f"""{head(name, entry, provenance, model, size)}
- No scale is above that of a uniform distribution on [0, 1].

## Scores

On photographs at their own size, in the hole alone: PSNR in dB, SSIM, z² (1 is calibrated) and the
share of intensities in the central interval of 90 %, each the mean over photographs, on which the
std is checked. Where pixels are kept they are scattered; irregular masks take the share of the
picture that is named.
`npfill evaluate --photos` measures classical methods beside them.

{chr(10).join(tables)}"""


def field_card(name: str, entry: Entry, provenance: dict[str, Any], model: NeuralProcess) -> str:
    """The card's text for a model of grids of numbers, as Markdown."""
    small, large = (f"{side}x{side}" for side in (entry.size, 2 * entry.size))
    size = f"of any size and range; trained on fields of {small} and, in some steps, {large}"
    scores = provenance["scores"]
    keys = (("mse", 4), ("log_likelihood", 3), ("z_squared", 2), ("coverage_90", 3))
    rows = [["seen, or gap", "MSE", "LL", "z²", "in 90 %"], ["---"] * 5]
    for number, kind in enumerate(scores["contexts"]):
        values = (f"{scores[key][number]:.{decimals}f}" for key, decimals in keys)
        rows.append([f"{float(kind):.0%}" if kind[0].isdigit() else kind, *values])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""{head(name, entry, provenance, model, size)}
- Adding a constant to what is observed, or multiplying it by a positive number, does the same to
  mean and scale.

## Scores

On random fields of unit variance that it was not trained on, in the gap alone: the share of
scattered pixels that are seen, or the kind of gap. [docs/fields.md](../docs/fields.md) has known
processes and real grids, beside kriging and other tools.

{table}
"""


def flow_card(name: str, entry: Entry, provenance: dict[str, Any], model: FlowNP) -> str:
    """The card's text for a flow, as Markdown."""
    scores = {
        kind: row["of_samples"] for kind, row in provenance["scores"].items() if "of_samples" in row
    }
    first: dict[str, Any] = next(iter(scores.values()))
    keys = [key for key in OF_SAMPLERS if key in first]
    rows = [["context", *(METRICS[key].title for key in keys)], ["---"] * (1 + len(keys))]
    for kind in (each.name for each in grid_protocol(entry.size) if each.name in scores):
        cells = [f"{scores[kind][key]:.{METRICS[key].decimals}f}" for key in keys]
        rows.append([kind, *cells])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    meanings = "\n".join(f"- {METRICS[key].title}: {METRICS[key].meaning}." for key in keys)
    return f"""{card(name, entry, provenance, model)}
## Samples

On {first["images"]} test pictures, by the sampler `flow`.

{table}

{meanings}
"""


def _psnr(measured: dict[str, Any], entry: Entry) -> tuple[float, ...]:
    rows = measured["scores"]
    return tuple(round(rows[kind]["psnr"], 2) for kind in entry.contexts if kind in rows)


def _photograph_table(place: str, measured: dict[str, Any], order: Sequence[str]) -> str:
    keys = (("psnr", 2), ("ssim", 3), ("z_squared", 2), ("coverage_90", 3))
    rows = [["missing", "PSNR", "SSIM", "z²", "in 90 %"], ["---"] * 5]
    rows += [
        [kind, *(f"{row[key]:.{decimals}f}" for key, decimals in keys)]
        for kind, row in sorted(measured["scores"].items(), key=lambda one: order.index(one[0]))
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"{place}, {measured['images']} photographs:", "", *lines, ""])


def head(
    name: str, entry: Entry, provenance: dict[str, Any], model: NeuralProcess, size: str
) -> str:
    """The card up to its scores; `size` says which pictures."""
    floor, (offset, slope) = model.config.scale_floor, model.calibration.tolist()
    minutes = provenance["seconds"] / 60
    steps_before = provenance.get("steps_before", 0)
    correlation = ", ".join(f"{number:.3f}" for number in model.correlation)
    together = (
        f"\n- The errors of red and green, red and blue, green and blue correlate by {correlation},"
        "\n  fitted there too: likelihoods and samples are those of whole pixels."
        if correlation
        else ""
    )
    if provenance.get("channels_apart"):
        together += (
            " The likelihoods\n  below were measured before, with channels taken as independent."
        )
    around = " around each pixel" if model.any_size else ""
    factor = f"exp({offset:.3f} {slope:+.3f} log s)"
    begins, more = f"has a floor of {floor}", ""
    if isinstance(model, FlowNP):
        own, *others = dict.fromkeys(f"`{each}`" for each in model.config.companions)
        begins = f"is that of {own}, its companion"
        more = f"\n- It draws for {' and '.join([own, *others])}, too."
    scale = f"""- The scale {begins}, and is multiplied by {factor}, with
  s the share of pixels observed{around}: the calibration, fitted on held-out pictures."""
    before = f", going on from weights of {steps_before:,} steps" if steps_before else ""
    return f"""# {name}

<!-- Written by tools/release.py: do not edit. -->

This is {model.summary}.

![What is observed, mean, standard deviation and samples]({name}.png)

- Pictures: {"grey" if entry.channels == 1 else "RGB"}, {size}.
- Data: {entry.data}. Terms: {entry.terms}.
{origin(name, provenance)}
- Trained for {entry.steps:,} steps in {minutes:.0f} minutes on {provenance["hardware"]}{before}.
- {entry.parameters:,} parameters in half precision, {entry.bytes:,} bytes, sha256
  `{entry.sha256}`.
{scale}{together}{more}
- Bad at: {model.limits}. Pictures of other kinds are completed, but smoothly."""


def _table(scores: dict[str, dict[str, Any]], size: int) -> str:
    head = ["context", "pictures", "draws", *(title for title, _, _ in _COLUMNS)]
    rows = [head, ["---"] * len(head)]
    for setting in grid_protocol(size):
        values = scores[setting.name]
        cells = [
            f"{values[key]:.{decimals}f}" if key in values else "" for _, key, decimals in _COLUMNS
        ]
        draws = str(values["draws"]) if "kl" in values else ""
        rows.append([setting.name, f"{values['images']:,}", draws, *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def contexts_figure(
    model: NeuralProcess,
    image: Image.Image,
    kinds: Sequence[ContextKind],
    samples: int,
    seed: int,
) -> Image.Image:
    """A row for each kind of context: observed pixels, mean, std and samples; std on one scale.

    Args:
        model: The model.
        image: A square picture with the model's channels.
        kinds: The kinds of contexts, row by row.
        samples: The number of samples in a row.
        seed: The seed of masks and samples.
    """
    picture, predictor, rows, holes = intensities(image), load(model), [], []
    for each in kinds:
        hole = ~each.observed(1, (image.height, image.width), seed)[0, 0].numpy()
        predicted = predictor.predict(picture, hole, samples=samples, seed=seed)
        rows.append(row_of(each.name, picture, hole, predicted))
        holes.append(hole)
    return contact_sheet(picture, np.stack(holes), rows)
