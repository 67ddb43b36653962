"""A training run from beginning to end: a recipe and pictures become weights, ready for use."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import torch

from npfill import checkpoint
from npfill.config import Json
from npfill.data import Photographs, Pictures
from npfill.data.fields import RandomFields
from npfill.data.sources import first_file
from npfill.devices import keep_memory
from npfill.errors import CheckFailedError, NpfillError
from npfill.evaluate.fields.held_out import of_fields
from npfill.evaluate.held_out import at_random_counts, calibrate, of_photographs
from npfill.files import folder
from npfill.models import NeuralProcess
from npfill.models.flownp import FlowNPConfig
from npfill.pictures.read import read_picture
from npfill.training.batch import fewer
from npfill.training.distributed import Rank, from_environment, process_group
from npfill.training.flow import accompanied, velocity_error
from npfill.training.inputs import Inputs, read_inputs
from npfill.training.loop import Report, Trainer
from npfill.training.proposal import survey
from npfill.training.recipe import Recipe, explain, find, render
from npfill.training.run import RunFolder, describe, provenance

__all__ = ["example", "explain", "find", "from_environment", "render", "survey", "train"]

# Draws of z in a validation.
_VALIDATION_DRAWS = 8
# The calibration at the end of a run is fitted to so many pictures at most; of photographs, to the
# centres of so many, so many pixels wide. Those of 28x28 take seconds, photographs a minute.
_CALIBRATED, _CENTRES, _CENTRE = 200, 6, 512


def train(
    recipe: str | Path | Recipe | None,
    data: str | Path | None,
    run_dir: str | Path,
    *,
    changes: Sequence[str] | Mapping[str, object] = (),
    init: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    skip_damaged: bool = False,
    on_report: Callable[[Report], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a model from a recipe, and calibrate its best and its last weights.

    Under torchrun every process calls this. The first one validates, writes and reports; of those
    on one machine, only the first raises what is wrong for all, and the others exit.

    Args:
        recipe: A recipe's name, its file, or itself; None takes that of the run to resume.
        data: Pictures: see `npfill.data.sources`; None takes those of the run to resume.
        run_dir: The run's folder: new, empty or of a run that never saved, unless it is resumed.
        changes: Of the recipe: "table.key=value", one or several, or values by "table.key".
        init: Weights to start from, a name or path; the recipe may add parts, or change the floor.
        resume: Go on from the last save, bit for bit as if nothing had interrupted the run.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        skip_damaged: Leave out pictures that cannot be read; each is named.
        on_report: Called every so often, and after each validation.
        on_note: Called with a line on what is done next.

    Returns:
        The folder of the run.

    Raises:
        UsageError: The recipe, a change of it or the device cannot be used.
        InputError: The data cannot be used, or there is no run to resume.
        OverwriteError: The folder has something else in it.
        ModelError: The recipe's model or the weights to start from are not as they must be.
        CheckFailedError: The loss is not finite. The last save stays as it is.
        KeyboardInterrupt: After Ctrl-C, once the step is whole and saved.
    """
    run = RunFolder(Path(run_dir))
    wanted = find(run.recipe if recipe is None else recipe, changes)
    rank = from_environment()
    try:
        rank.check(wanted.schedule.batch)
        if wanted.data.kind == "fields":
            rank.check(fewer(wanted.schedule.batch))
        where = rank.device(device)
        if where.type == "cpu":
            keep_memory()
        inputs = read_inputs(wanted, run, data, init, resume, skip_damaged)
        held_out = inputs.held_out.to(where)
        score = _score(held_out, wanted)
        if resume and not run.state.exists():
            on_note(f"{run.path} was not saved yet: it begins again")
            resume = False
        alone = run.alone() if rank.is_main else nullcontext()
        with alone, torch.inference_mode(False), torch.enable_grad():
            with process_group(rank, where):
                trainer = _trainer(wanted, run, inputs, score, rank, where, resume)
                if rank.is_main:
                    run.note({"data": str(inputs.data.resolve())})
                    inputs.say(on_note)
                    if (terms := trainer.provenance["terms"]) != wanted.data.terms:
                        on_note(f"terms of the weights: {terms}")
                    steps = f"{wanted.schedule.steps:,} steps"
                    on_note(f"training {wanted.variant} on {where}, {run.path}, {steps}")
                trainer.run(on_report)
            if rank.is_main:
                _calibrate(run, held_out, where, on_note)
    except NpfillError as error:
        if rank.local:
            raise SystemExit(error.exit_code) from None
        raise
    return run.path


def example(data: Path | None, run_dir: Path) -> tuple[Path, tuple[int, int]]:
    """Find a picture to try a run's weights on, and its width and height.

    It is the first of the pictures that the run was trained on, of those in `data` where given;
    where these are no files of their own, an example that ships with npfill.
    """
    run = RunFolder(run_dir)
    recipe, place = find(run.recipe), data or Path(run.read_environment()["data"])
    picture = None if recipe.data.kind == "fields" else first_file(place)
    if picture is None:
        kind = "digit.png" if recipe.model.channels == 1 else "face.png"
        picture = folder("examples") / ("cat.jpg" if recipe.damage else kind)
    return picture, read_picture(picture).image.size


def _trainer(
    recipe: Recipe,
    run: RunFolder,
    inputs: Inputs,
    score: Callable[[NeuralProcess], Json],
    rank: Rank,
    where: torch.device,
    resume: bool,
) -> Trainer:
    """Make a trainer at its first step, with its folder, or bring one back to where it stopped."""
    weights = inputs.weights
    began: Json = run.read_environment() if resume else {}
    origin = provenance(recipe, weights, where, rank.count)
    origin |= {key: began[key] for key in ("terms", "steps_before") if key in began}
    trainer = Trainer(recipe, run, inputs.train.to(where), score, origin, rank)
    if resume:
        trainer.resume()
        return trainer
    if weights is not None:
        trainer.learner.start_from(weights.model)
    if rank.is_main:
        place = {"data": str(inputs.data.resolve()), "init": inputs.init}
        described = origin | describe(recipe, where) | {"pictures": inputs.fingerprint}
        run.create(render(recipe), described | place)
    return trainer


def _score(pictures: Pictures, recipe: Recipe) -> Callable[[NeuralProcess], Json]:
    """Choose the scores of a model in the course of a run; of photographs, of the first ones."""
    if isinstance(recipe.model, FlowNPConfig):
        return partial(velocity_error, pictures=pictures, recipe=recipe)
    if isinstance(pictures, RandomFields):
        return partial(of_fields, fields=pictures)
    if isinstance(pictures, Photographs):
        return partial(of_photographs, photographs=pictures[: recipe.data.validation])
    return partial(at_random_counts, images=pictures, latents=_VALIDATION_DRAWS)


def _calibrate(
    run: RunFolder, held_out: Pictures, where: torch.device, on_note: Callable[[str], None]
) -> None:
    """Fit the calibration of the best and the last weights, in their files.

    The state to resume from holds none, and weights that have one stay: however often a run is
    interrupted, it ends with the same files.
    """
    if not run.best.is_file():
        raise CheckFailedError(
            f"{run.path}: no validation had a finite likelihood",
            "look at the pictures, or lower optimiser.learning_rate",
        )
    fitted: dict[int, tuple[tuple[float, float], tuple[float, ...]]] = {}
    if isinstance(held_out, RandomFields):
        some: Pictures = held_out
    elif isinstance(held_out, Photographs):
        some = held_out[:_CENTRES].centres(_CENTRE)
    else:
        some = held_out[:_CALIBRATED]
    for path in (run.best, run.last):
        weights = checkpoint.load(path)
        model, origin = accompanied(weights.model.to(where)), weights.provenance
        if "calibration" not in origin:
            steps = origin["steps"]
            if steps not in fitted:
                on_note(f"calibrating the {path.stem} weights on {len(some)} pictures")
                numbers = calibrate(model, some)
                fitted[steps] = numbers, model.correlation
            (offset, slope), model.correlation = fitted[steps]
            model.calibration.copy_(torch.tensor([offset, slope]))
            found = {"offset": offset, "slope": slope, "pictures": len(some)}
            origin["calibration"] = found
            checkpoint.save(path, model, origin)
        run.note({f"calibration_of_{path.stem}": origin["calibration"]})
