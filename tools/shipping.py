"""From a finished run to shipped weights: the file, its row in the zoo and its card."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from npfill import checkpoint, zoo
from npfill.config import as_toml
from npfill.data import MaskedImages, Photographs
from npfill.data.fields import RandomFields
from npfill.errors import InputError
from npfill.evaluate import evaluate
from npfill.evaluate.contexts import counts_for, grid_protocol, parse
from npfill.evaluate.fields.held_out import of_fields
from npfill.evaluate.figures import on_grid
from npfill.evaluate.held_out import calibrate
from npfill.evaluate.predictions import GridModel
from npfill.evaluate.protocol import images_for, measure
from npfill.files import folder, sha256_of, write_bytes
from npfill.models import NeuralProcess
from npfill.models.convcnp_field import FieldConvCNP
from npfill.pictures.formats import png_bytes
from npfill.zoo import Entry
from tools.card import card_text, contexts_figure
from tools.stages import origin

# Draws of z that the scores of a card are measured with, but at random counts: at most.
_FEWER_DRAWS = 16
_SEED = 0
# The seed of the random fields that weights are measured on, which nothing was fitted to.
_TESTED = 2
# The picture of a card: an example that ships with npfill, by number of channels or for
# photographs, and samples.
_EXAMPLES = {1: "digit.png", 3: "face.png"}
_PHOTOGRAPH = "cat.jpg"
_SAMPLES = 4

# The metrics on photographs that weights carry, and their decimals there.
_OF_PHOTOGRAPHS, _DECIMALS = ("psnr", "ssim", "z_squared", "coverage_90"), 5


@dataclass(frozen=True)
class PhotographSets:
    """The photographs that weights are measured on.

    Attributes:
        places: Folders or zips of photographs, each with a table of its own.
        masks: Irregular masks; None to do without.
        images: How many photographs of each at most.
    """

    places: Sequence[Path]
    masks: Path | None
    images: int


def ship(
    name: str,
    weights: Path,
    validation: UInt8[Tensor, "held_out channel size size"] | MaskedImages,
    test: UInt8[Tensor, "image channel size size"],
    draws: int = 64,
    on_setting: Callable[[str], None] = lambda _: None,
) -> Path:
    """Take weights into `pretrained/`, calibrated, and measured as they will be shipped.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        validation: Pictures held out of training, bytes: what the calibration is fitted to.
        test: Test pictures, bytes: all at random counts, at most 200 elsewhere.
        draws: Draws of z at random counts, at most 16 elsewhere.
        on_setting: Called with a word on the progress before each step.

    Returns:
        The file that was written; its card and the card's picture lie beside it.

    Raises:
        InputError: No recipe has this name, or the weights are not from a training run.
    """
    trained = trained_weights(name, weights)
    # Rounded to half precision first, so that what is measured is what is shipped. Nothing of the
    # zoo changes before all is measured.
    model = trained.model.half().float().to(test.device)
    on_setting("calibration")
    calibrate(model, validation)
    model.half().float()
    scores = scores_of(model, test, draws, on_setting)
    measured = checkpoint.Weights(model, trained.provenance | {"scores": scores})
    return store(name, measured, columns_of(scores, model.config.size))


def ship_photographs(
    name: str,
    weights: Path,
    validation: Photographs,
    sets: PhotographSets,
    on_kind: Callable[[str], None] = lambda _: None,
) -> Path:
    """Take weights for photographs into `pretrained/`, calibrated, measured as they will ship.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        validation: Photographs held out of training: what the calibration is fitted to.
        sets: The photographs to measure on.
        on_kind: Called with a word on the progress before each step.

    Returns:
        The file that was written; its card lies beside it.

    Raises:
        InputError: No recipe has this name, the weights are not from a training run, or a set
            cannot be read.
    """
    trained = trained_weights(name, weights)
    model = trained.model.half().float().to(validation.device)
    on_kind("calibration")
    calibrate(model, validation)
    model.half().float()
    scores: dict[str, dict[str, Any]] = {}
    for place in sets.places:
        measured = evaluate(
            [model],
            place,
            photos=True,
            masks=sets.masks,
            images=sets.images,
            seed=_SEED,
            on_batch=lambda _, kind, __: on_kind(kind),
        )
        rows = {
            result.context.name: {
                key: round(result.scores[key].value, _DECIMALS)
                for key in _OF_PHOTOGRAPHS
                if key in result.scores
            }
            for result in measured.results
        }
        scores["/".join(place.parts[-2:])] = {"images": measured.budget.images, "scores": rows}
    first = scores["/".join(sets.places[0].parts[-2:])]["scores"]
    columns: dict[str, Any] = dict.fromkeys(
        ("counts", "mse", "log_likelihood", "floored_log_likelihood"), ()
    )
    columns["contexts"] = tuple(first)
    columns["psnr"] = tuple(round(row["psnr"], 2) for row in first.values())
    shipped = checkpoint.Weights(model, trained.provenance | {"scores": scores})
    return store(name, shipped, columns)


def ship_fields(
    name: str, weights: Path, fields: RandomFields, on_kind: Callable[[str], None] = lambda _: None
) -> Path:
    """Take weights for grids of numbers into `pretrained/`, calibrated and measured.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        fields: Random fields: the calibration and the scores are of different ones.
        on_kind: Called with a word on the progress before each step.

    Returns:
        The file that was written; its card lies beside it.

    Raises:
        InputError: No recipe has this name, or the weights are not from a training run.
    """
    trained = trained_weights(name, weights)
    model = trained.model.half().float().to(fields.device)
    on_kind("calibration")
    calibrate(model, fields)
    model.half().float()
    on_kind("scores")
    scores = of_fields(model, fields, _TESTED)
    columns: dict[str, Any] = {"counts": (), "contexts": tuple(scores["contexts"])}
    for key in ("mse", "log_likelihood", "floored_log_likelihood"):
        columns[key] = tuple(round(value, 6 if key == "mse" else 4) for value in scores[key])
    shipped = checkpoint.Weights(model, trained.provenance | {"scores": scores})
    return store(name, shipped, columns)


def trained_weights(name: str, weights: Path) -> checkpoint.Weights:
    """The weights of a training run.

    Raises:
        InputError: No recipe has this name, the weights are not from a training run, or the
            recipe in them is not kept.
    """
    if not (folder("train") / f"{name}.toml").is_file():
        raise InputError(f"no recipe train/{name}.toml", "weights and recipes go by the same name")
    trained = checkpoint.load(weights)
    if "recipe" not in trained.provenance:
        raise InputError(f"{weights}: not from a training run", "name the folder of a run")
    origin(name, trained.provenance)  # before any work: refuses a recipe that is not kept
    return trained


def store(
    name: str,
    weights: checkpoint.Weights,
    columns: dict[str, Any],
    shown: NeuralProcess | None = None,
) -> Path:
    """Write weights that are calibrated and measured, their row in the zoo and their card.

    The row names a file that is as it says at any moment: at first the new weights beside the old.

    Args:
        name: The model's name.
        weights: The model, with its scores in the provenance.
        columns: The scores' columns of the row.
        shown: The model that completes the card's picture, where it is another.
    """
    target = folder("pretrained") / f"{name}.safetensors"
    new = target.with_suffix(".new.safetensors")
    picture = png_bytes(_picture(shown or weights.model), {})
    checkpoint.save(new, weights.model, weights.provenance, half=True)
    entry = _entry(target.name, new, weights, columns)
    _enter(name, replace(entry, file=new.name))
    write_bytes(target, new.read_bytes())
    _enter(name, entry)
    new.unlink()
    write_bytes(target.with_suffix(".png"), picture)
    write_bytes(target.with_suffix(".md"), card_text(name, entry, weights).encode())
    return target


def _enter(name: str, entry: Entry) -> None:
    """Write a row of the zoo, or another in its place; a number that is 0 is left out."""
    rows = {
        row: {key: value for key, value in asdict(each).items() if value != 0}
        for row, each in sorted((zoo.entries() | {name: entry}).items())
    }
    text = f"# Written by tools/release.py.\n\n{as_toml(rows)}"
    write_bytes(folder("pretrained") / "zoo.toml", text.encode())


def _picture(model: NeuralProcess) -> Image.Image:
    """An example completed with few and more random pixels observed, and with parts hidden."""
    size, channels = model.config.size, model.config.channels
    fewest, _, more, *_ = counts_for(size)
    kinds = parse(f"random:{fewest},random:{more},top-half,left-half,centre-box", size)
    name = _PHOTOGRAPH if model.any_size else _EXAMPLES[channels]
    with Image.open(folder("examples") / name) as example:
        image = on_grid(example, size, channels)
    # Of grids of numbers every round of a sample draws the surfaces anew.
    samples = 1 if isinstance(model, FieldConvCNP) else _SAMPLES
    return contexts_figure(model, image, kinds, samples, _SEED)


def scores_of(
    model: NeuralProcess,
    images: UInt8[Tensor, "image channel size size"],
    most_draws: int,
    on_setting: Callable[[str], None],
) -> dict[str, Any]:
    """All scores of the protocol, as JSON values."""
    contexts = {}
    for kind in grid_protocol(images.shape[-1]):
        on_setting(kind.name)
        draws = most_draws if kind.family == "random" else min(most_draws, _FEWER_DRAWS)
        some = images[: images_for(kind, len(images))]
        result = measure(kind.name, GridModel(model, draws, _SEED), kind, some, _SEED)
        values = {key: round(estimate.value, 6) for key, estimate in result.scores.items()}
        contexts[kind.name] = {"images": len(some), "draws": draws} | values
    return contexts


def _entry(file: str, written: Path, weights: checkpoint.Weights, columns: dict[str, Any]) -> Entry:
    model, provenance, config = weights.model, weights.provenance, weights.model.config
    return Entry(
        file=file,
        bytes=written.stat().st_size,
        sha256=sha256_of(written),
        variant=model.variant,
        channels=config.channels,
        size=config.size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        data=provenance["dataset"],
        terms=provenance["terms"],
        steps=provenance["steps"],
        steps_before=provenance.get("steps_before", 0),
        **columns,
    )


def columns_of(scores: dict[str, dict[str, Any]], size: int) -> dict[str, Any]:
    """What the row of an entry says of its scores."""
    counts = counts_for(size)
    rows = [scores[f"random:{count}"] for count in counts]
    return {
        "counts": counts,
        "mse": tuple(row["mse"] for row in rows),
        "log_likelihood": tuple(round(row["log_likelihood"], 4) for row in rows),
        "floored_log_likelihood": tuple(round(row["floored_log_likelihood"], 4) for row in rows),
    }
