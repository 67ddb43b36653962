"""Completing one picture: read, find the hole, complete, render, write, and say what was done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npfill.cli import outputs
from npfill.cli.console import Talk, say_terms
from npfill.cli.masking import MaskOptions, hole_of
from npfill.cli.origin import origin_text
from npfill.cli.rendering import Rendered, render
from npfill.errors import InputError
from npfill.pictures.hole import Hole, describe
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.read import MAX_PIXELS, read_picture

if TYPE_CHECKING:
    from npfill.baselines import Baseline
    from npfill.completion import Completion
    from npfill.models import NeuralProcess


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn, and how many."""

    samples: int
    seed: int
    sampler: str
    rounds: int | None
    noise: bool


@dataclass(frozen=True)
class Writing:
    """How pictures are read and results written, as the options say.

    Attributes:
        output: A folder, a file, `-`, or None: beside the picture.
        emit: What is written, separated by commas; None is the default.
        overwrite: Replace what exists.
        skip_existing: Leave what exists.
        keep: Write pictures in the format that they came in.
        strip: Leave out what a picture's file says of it.
        max_pixels: Pictures and masks of more are refused.
    """

    output: Path | None
    emit: str | None
    overwrite: bool
    skip_existing: bool
    keep: bool = False
    strip: bool = False
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Job:
    """One picture, how its hole is selected, and where its results go."""

    image: Path
    masking: MaskOptions
    plan: outputs.Plan


@dataclass(frozen=True)
class Chosen:
    """What completes pictures.

    Attributes:
        name: What it is called.
        word: What names it on a command line: the same, or its file.
        model: The network, or the baseline.
        sha256: The hash of its file, in hex; None for a baseline without one.
        device: Where it runs.
    """

    name: str
    word: str
    model: "NeuralProcess[Any] | Baseline"
    sha256: str | None
    device: str


def choose(name: str, device: str, drawing: Drawing, talk: Talk) -> Chosen:
    """The model or baseline that a user names, with a sampler that it has; loads torch."""
    from npfill import baselines, checkpoint, devices, zoo
    from npfill.sampling import sampler_for

    where = devices.resolve(device)
    if name in baselines.NAMES:
        baseline, file = baselines.build(name), baselines.FILES.get(name)
        return Chosen(name, name, baseline, zoo.sha256_of(file) if file else None, "cpu")
    found = zoo.find(name)
    weights = checkpoint.load(found.path)
    sampler_for(weights.model, drawing.sampler, drawing.rounds, noise=drawing.noise)
    say_terms(talk, found.name, str(weights.provenance.get("terms", "")))
    talk.detail(f"{found.path}: {weights.model.variant}, sha256 {found.sha256}")
    word = found.name if name == zoo.AUTO else name
    return Chosen(found.name, word, weights.model, found.sha256, str(where))


def complete_one(
    job: Job, drawing: Drawing, writing: Writing, chosen: Callable[[], Chosen], talk: Talk
) -> dict[str, Any]:
    """Complete a picture and write the results.

    Args:
        job: The picture.
        drawing: How samples are drawn.
        writing: What the options say of results.
        chosen: Loads the model. It is called once everything that can be refused has been.
        talk: Hears warnings and what was done.

    Returns:
        What was done, as JSON values.
    """
    incomplete, hole = _read(job, writing, talk)
    talk.say(describe(hole))
    by = chosen()
    started = time.perf_counter()
    completion = _completed(job, incomplete, by, drawing)
    seconds = time.perf_counter() - started
    plan, lacking = outputs.without_lacking(job.plan, completion, by.name, writing.emit)
    for note in (*completion.notes, *lacking):
        talk.warn(note)
    opaque = job.masking.mask == "alpha"
    text = origin_text(job.image, job.masking, incomplete, hole, by, drawing)
    rendered = render(plan, incomplete, completion, text, opaque=opaque, keep=writing.keep)
    outputs.write(plan, rendered.contents)
    record = {
        "input": str(job.image),
        "image_sha256": text["npfill_image_sha256"],
        "mask_selected_px": int(hole.selected.sum()),
        "mask_share": float(hole.selected.mean()),
        "mask_sha256": text["npfill_mask_sha256"],
        "model": by.name,
        "model_sha256": by.sha256,
        "device": by.device,
        "seed": drawing.seed,
        "sampler": drawing.sampler,
        "seconds": seconds,
        "outside_changed_px": rendered.changed,
        "mean_std": _mean_std(completion, incomplete),
        "outputs": {name: str(path) for name, path in plan.paths.items()},
    }
    _say_done(record, rendered, talk)
    return record


def _read(job: Job, writing: Writing, talk: Talk) -> tuple[MaskedPicture, Hole]:
    """The picture and its hole, with what is to be said of them said."""
    picture = read_picture(job.image, writing.max_pixels)
    if picture.is_data and any(path.suffix == ".png" for path in job.plan.of_values):
        raise InputError(
            f"{job.image}: data are not written as .png", "name its file; or -o - for stdout"
        )
    hole = hole_of(job.masking, picture, writing.max_pixels)
    for name, notes in ((picture.name, picture.notes), (job.masking.name, hole.notes)):
        for note in notes:
            talk.warn(f"{name}: {note}")
    if writing.strip:
        picture = picture.stripped()
    return MaskedPicture.of(picture, hole.by_choice), hole


def _completed(job: Job, incomplete: MaskedPicture, by: Chosen, drawing: Drawing) -> "Completion":
    from npfill.completion import complete

    return complete(
        incomplete.intensities,
        incomplete.hole,
        by.model,
        drawing.samples if job.plan.shows_samples else 0,
        drawing.seed,
        by.device,
        drawing.sampler,
        drawing.rounds,
        drawing.noise,
    )


def _mean_std(completion: "Completion", incomplete: MaskedPicture) -> float | None:
    std = completion.std
    return None if std is None else float(incomplete.deviation(std)[incomplete.hole].mean())


def _say_done(record: dict[str, Any], rendered: Rendered, talk: Talk) -> None:
    talk.say(
        f"model {record['model']}, {record['device']}, seed {record['seed']}, "
        f"{record['seconds']:.2f} s"
    )
    mean_std = record["mean_std"]
    stated = "" if mean_std is None else f", mean std in the hole {mean_std:.3g}"
    by = f", at most {rendered.by:g} levels, by the format" if rendered.changed else ""
    talk.say(f"outside changed: {rendered.changed:,} px{by}{stated}")
    talk.say("wrote " + ", ".join(record["outputs"].values()))
