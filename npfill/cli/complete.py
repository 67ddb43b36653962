"""`npfill complete`: a picture and a mask become mean, std and samples."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from npfill.cli.console import Talk, say_terms
from npfill.cli.masking import MaskOptions, hole_of, sha256_of
from npfill.errors import NpfillError, UsageError

if TYPE_CHECKING:
    from npfill.baselines import Baseline
    from npfill.models import NeuralProcess

_MASK, _MODEL, _OUTPUT = "Mask", "Model", "Output"
# No picture that is read is larger than this.
_FARTHEST = 10**8


@dataclass(frozen=True)
class Chosen:
    """What completes the picture.

    Attributes:
        name: What it is called.
        model: The network, or the baseline.
        sha256: The hash of its file, in hex; None for a baseline without one.
        device: Where it runs.
    """

    name: str
    model: "NeuralProcess[Any] | Baseline"
    sha256: str | None
    device: str


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn, and how many."""

    samples: int
    seed: int
    sampler: str
    rounds: int | None
    noise: bool


def complete_command(
    image: Annotated[Path, typer.Argument(metavar="IMG", help="The picture with missing pixels.")],
    mask: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|alpha",
            help="White is filled, black is kept. `alpha`: what is transparent is filled.",
            rich_help_panel=_MASK,
        ),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="Fill a box; repeatable.", rich_help_panel=_MASK),
    ] = None,
    invert_mask: Annotated[
        bool, typer.Option("--invert-mask", help="Fill black instead.", rich_help_panel=_MASK)
    ] = False,
    grow: Annotated[
        int,
        typer.Option(
            metavar="PX",
            min=-_FARTHEST,
            max=_FARTHEST,
            help="Grow the hole; negative shrinks it.",
            rich_help_panel=_MASK,
        ),
    ] = 0,
    mask_threshold: Annotated[
        float | None,
        typer.Option(min=0, help="Lowest level that is filled.", rich_help_panel=_MASK),
    ] = None,
    fit_mask: Annotated[
        bool, typer.Option("--fit-mask", help="Resize the mask.", rich_help_panel=_MASK)
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="A name of npfill models, a baseline, or a file. auto: the one for photographs.",
            rich_help_panel=_MODEL,
        ),
    ] = "auto",
    samples: Annotated[
        int, typer.Option(min=0, max=1000, help="Samples to draw.", rich_help_panel=_MODEL)
    ] = 3,
    seed: Annotated[
        int,
        typer.Option(min=0, help="Sample k depends on seed and k alone.", rich_help_panel=_MODEL),
    ] = 0,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, latent, autoregressive or independent.",
            rich_help_panel=_MODEL,
        ),
    ] = "auto",
    rounds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Rounds of autoregressive; 16.", rich_help_panel=_MODEL),
    ] = None,
    noise: Annotated[
        bool,
        typer.Option("--noise", help="Samples with noise, not smooth.", rich_help_panel=_MODEL),
    ] = False,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=_MODEL)
    ] = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A folder, a file for one result, or -.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    emit: Annotated[
        str | None,
        typer.Option(help="Of mean,std,samples,sheet,npz.", rich_help_panel=_OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files.", rich_help_panel=_OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The result as JSON on stdout.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Errors only.", rich_help_panel=_OUTPUT)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Complete a picture: IMG_mean.png, IMG_std.png and IMG_sample-1.png ... beside it."""
    talk = Talk(quiet=quiet, verbose=verbose)
    masking = MaskOptions(mask, box or [], invert_mask, grow, mask_threshold, fit_mask)
    drawing = Drawing(samples, seed, sampler, rounds, noise)
    try:
        if as_json and output == Path("-"):
            raise UsageError("--json and -o - both want stdout", "-o names a file or folder")
        data = _complete(image, masking, model, drawing, device, output, emit, overwrite, talk)
    except NpfillError as error:
        if as_json:
            _print_json("error", error.exit_code, {}, [{"message": str(error), "hint": error.hint}])
        raise
    if as_json:
        _print_json("success", 0, data | {"warnings": talk.warnings}, [])


def _complete(
    image: Path,
    masking: MaskOptions,
    model: str,
    drawing: Drawing,
    device: str,
    output: Path | None,
    emit: str | None,
    overwrite: bool,
    talk: Talk,
) -> dict[str, Any]:
    """Do it, and answer what was done as JSON values."""
    from npfill.cli import outputs
    from npfill.images.files import intensities, read_picture
    from npfill.images.masks import describe
    from npfill.images.writing import refuse_existing

    # Everything that can be refused is refused before torch is loaded.
    plan = outputs.plan(image, output, emit, drawing.samples)
    picture = read_picture(image)
    hole = hole_of(masking, picture)
    inputs = [image, *(Path(given) for given in (masking.file, model) if given)]
    outputs.refuse_own_inputs(plan, inputs)
    refuse_existing(plan.files, overwrite)
    outputs.refuse_unwritable(plan)
    for name, notes in ((picture.name, picture.notes), (masking.name, hole.notes)):
        for note in notes:
            talk.warn(f"{name}: {note}")
    talk.say(describe(hole))

    from npfill.completion import complete as complete_picture

    chosen = _chosen(model, device, talk)
    started = time.perf_counter()
    completion = complete_picture(
        intensities(picture.image),
        hole.selected,
        chosen.model,
        drawing.samples if plan.shows_samples else 0,
        drawing.seed,
        chosen.device,
        drawing.sampler,
        drawing.rounds,
        drawing.noise,
    )
    seconds = time.perf_counter() - started
    for note in completion.notes:
        talk.warn(note)
    plan, lacking = outputs.without_lacking(plan, completion, chosen.name, emit)
    for note in lacking:
        talk.warn(note)
    text = {
        "npfill_model": chosen.name,
        "npfill_seed": str(drawing.seed),
        "npfill_sampler": drawing.sampler,
        "npfill_mask_sha256": sha256_of(hole),
    }
    if chosen.sha256 is not None:
        text["npfill_model_sha256"] = chosen.sha256
    contents = outputs.render(
        plan, picture.image, hole.selected, completion, text, opaque=masking.mask == "alpha"
    )
    outputs.write(plan, contents)
    std = completion.std
    mean_std = None if std is None else float(std[hole.selected].mean())
    talk.say(f"model {chosen.name}, {chosen.device}, seed {drawing.seed}, {seconds:.2f} s")
    stated = "" if mean_std is None else f", mean std in the hole {mean_std:.3f}"
    talk.say(f"outside changed: 0 px{stated}")
    talk.say("wrote " + ", ".join(str(path) for path in plan.paths.values()))
    return {
        "input": str(image),
        "mask_selected_px": int(hole.selected.sum()),
        "mask_share": float(hole.selected.mean()),
        "mask_sha256": text["npfill_mask_sha256"],
        "model": chosen.name,
        "model_sha256": chosen.sha256,
        "device": chosen.device,
        "seed": drawing.seed,
        "sampler": drawing.sampler,
        "seconds": seconds,
        "outside_changed_px": 0,
        "mean_std": mean_std,
        "outputs": {name: str(path) for name, path in plan.paths.items()},
    }


def _chosen(name: str, device: str, talk: Talk) -> Chosen:
    """The model or baseline that a user names."""
    from npfill import baselines, checkpoint, devices, zoo

    where = devices.resolve(device)
    if name in baselines.NAMES:
        baseline, file = baselines.build(name), baselines.FILES.get(name)
        return Chosen(name, baseline, zoo.sha256_of(file) if file else None, "cpu")
    found = zoo.find(name)
    weights = checkpoint.load(found.path)
    say_terms(talk, found.name, str(weights.provenance.get("terms", "")))
    talk.detail(f"{found.path}: {weights.model.variant}, sha256 {found.sha256}")
    return Chosen(found.name, weights.model, found.sha256, str(where))


def _print_json(status: str, code: int, data: dict[str, Any], errors: list[dict[str, str]]) -> None:
    result = {
        "npfill_result_version": "1",
        "status": status,
        "exit_code": code,
        "data": data,
        "errors": errors,
    }
    # In ASCII, so that any path can be said whatever the encoding of stdout.
    typer.echo(json.dumps(result))
