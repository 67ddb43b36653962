"""A finished run becomes shipped weights: the file, its row in the zoo and its card."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from npfill import checkpoint, zoo
from npfill.config import as_toml
from npfill.data.sets import PartlyKnown
from npfill.errors import InputError
from npfill.evaluate.answers import ModelCompleter
from npfill.evaluate.calibration import calibrate
from npfill.evaluate.card import card
from npfill.evaluate.figures.contexts import contexts_figure
from npfill.evaluate.figures.pictures import on_grid
from npfill.evaluate.protocol import images_for, measure
from npfill.evaluate.settings import HIDDEN, Setting, counts_for, protocol
from npfill.files import folder, write_bytes
from npfill.models import NeuralProcess
from npfill.pictures.formats import png_bytes
from npfill.zoo import Entry

# Draws of z that the scores of a card are measured with, but at random counts: at most.
_FEWER_DRAWS = 16
_SEED = 0
# The picture of a card: an example that ships with npfill, by number of channels or for
# photographs, and samples.
_EXAMPLES = {1: "digit.png", 3: "face.png"}
_PHOTOGRAPH = "cat.jpg"
_SAMPLES = 4

Card = Callable[[str, Entry, dict[str, Any], NeuralProcess[Any]], str]


def ship(
    name: str,
    weights: Path,
    validation: UInt8[Tensor, "held_out channel size size"] | PartlyKnown,
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
        on_setting: Told what is done next.

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
    scores = _scores(model, test, draws, on_setting)
    measured = checkpoint.Weights(model, trained.provenance | {"scores": scores})
    return store(name, measured, _columns(scores, model.config.size), card)


def trained_weights(name: str, weights: Path) -> checkpoint.Weights:
    """The weights of a training run.

    Raises:
        InputError: No recipe has this name, or the weights are not from a training run.
    """
    if not (folder("train") / f"{name}.toml").is_file():
        raise InputError(f"no recipe train/{name}.toml", "weights and recipes go by the same name")
    trained = checkpoint.load(weights)
    if "recipe" not in trained.provenance:
        raise InputError(f"{weights}: not from a training run", "npfill models add RUN_DIR")
    return trained


def store(name: str, weights: checkpoint.Weights, columns: dict[str, Any], card: Card) -> Path:
    """Write weights that are calibrated and measured, their row in the zoo and their card.

    Args:
        name: What they are called.
        weights: The model, with its scores in the provenance.
        columns: What the row says of the scores.
        card: Writes the card's text.
    """
    target = folder("pretrained") / f"{name}.safetensors"
    model, provenance = weights.model, weights.provenance
    checkpoint.save(target, model, provenance, half=True)
    entry = _entry(target, model, provenance, columns)
    rows = zoo.entries() | {name: entry}
    text = as_toml({row: asdict(rows[row]) for row in sorted(rows)})
    write_bytes(
        folder("pretrained") / "zoo.toml", f"# Written by `npfill models add`.\n\n{text}".encode()
    )
    text = card(name, entry, provenance, model)
    write_bytes(target.with_suffix(".png"), png_bytes(_picture(model), {}))
    write_bytes(target.with_suffix(".md"), text.encode())
    return target


def _picture(model: NeuralProcess[Any]) -> Image.Image:
    """An example completed with few and more random pixels observed, and with parts hidden."""
    size, channels = model.config.size, model.config.channels
    fewest, _, more, *_ = counts_for(size)
    settings = [Setting("random", fewest), Setting("random", more), *map(Setting, HIDDEN)]
    name = _PHOTOGRAPH if model.any_size else _EXAMPLES[channels]
    with Image.open(folder("examples") / name) as example:
        image = on_grid(example, size, channels)
    return contexts_figure(model, image, settings, _SAMPLES, _SEED)


def _scores(
    model: NeuralProcess[Any],
    images: UInt8[Tensor, "image channel size size"],
    most_draws: int,
    on_setting: Callable[[str], None],
) -> dict[str, Any]:
    """All scores of the protocol, as JSON values."""
    contexts = {}
    for setting in protocol(images.shape[-1]):
        on_setting(setting.name)
        draws = most_draws if setting.family == "random" else min(most_draws, _FEWER_DRAWS)
        some = images[: images_for(setting, len(images))]
        result = measure(setting.name, ModelCompleter(model, draws, _SEED), setting, some, _SEED)
        values = {key: round(estimate.value, 6) for key, estimate in result.scores.items()}
        contexts[setting.name] = {"images": len(some), "draws": draws} | values
    return contexts


def _entry(
    path: Path,
    model: NeuralProcess[Any],
    provenance: dict[str, Any],
    columns: dict[str, Any],
) -> Entry:
    config = model.config
    return Entry(
        file=path.name,
        bytes=path.stat().st_size,
        sha256=zoo.sha256_of(path),
        variant=model.variant,
        channels=config.channels,
        size=config.size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        data=provenance["dataset"],
        terms=provenance["terms"],
        steps=provenance["steps"],
        **columns,
    )


def _columns(scores: dict[str, dict[str, Any]], size: int) -> dict[str, Any]:
    """What the row of an entry says of its scores."""
    counts = counts_for(size)
    rows = [scores[f"random:{count}"] for count in counts]
    return {
        "counts": counts,
        "mse": tuple(row["mse"] for row in rows),
        "log_likelihood": tuple(round(row["log_likelihood"], 4) for row in rows),
        "floored_log_likelihood": tuple(round(row["floored_log_likelihood"], 4) for row in rows),
    }
