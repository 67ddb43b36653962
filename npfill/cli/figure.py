"""`npfill figure`: pictures of what models predict, for papers and talks."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.progress import track

from npfill.cli import figure_inputs as inputs
from npfill.cli.console import Talk, say_terms, stderr
from npfill.errors import InputError, ModelError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from npfill.pictures.sheet import Row

Item = TypeVar("Item")

app = typer.Typer(help="Draw what models predict, for papers and talks.", no_args_is_help=True)
# The longer side of a picture that is revealed, at most.
_LONGEST = 256
_DEFAULT_CONTEXT = 50
# Whose pictures `compare` takes where only baselines are named.
_DIGITS = "anp-mnist"

_Image = Annotated[
    Path | None, typer.Argument(metavar="[IMG]", help="The picture; the bundled digit if none.")
]
_Data = Annotated[
    Path | None, typer.Option(help="Test pictures: a folder, zip, idx files, .npy or .npz.")
]
_Index = Annotated[
    int | None, typer.Option(min=0, help="Which of the test pictures; the first is 0.")
]
_Seed = Annotated[int, typer.Option(min=0, help="The seed of observed pixels and of samples.")]
_Output = Annotated[Path | None, typer.Option("--output", "-o", help="A folder or a file.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")]


@app.command("samples")
def samples_command(
    image: _Image = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A name of npfill models, or a file.")
    ] = "lcnp-mnist",
    data: _Data = None,
    index: _Index = None,
    contexts: Annotated[
        str, typer.Option(metavar="N,...", help="Numbers of random context pixels.")
    ] = "10,100,300,784",
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME,...", help="auto, latent, autoregressive, independent; side by side."
        ),
    ] = "auto",
    samples: Annotated[int, typer.Option(min=1, max=100, help="Samples of each.")] = 5,
    seed: _Seed = 0,
    output: _Output = None,
    overwrite: _Overwrite = False,
) -> None:
    """Samples given more and more random pixels of a picture: npfill-samples.png.

    What is not observed is blue. Samples show the model's prediction of every pixel, observed
    ones too. Of a picture, the centre square is taken, at the model's size.
    """
    source, talk = inputs.Source(image, data, index), Talk()
    counts = inputs.counts(contexts)
    plan = _plan(output, "npfill-samples.png", overwrite, [image, Path(model)])

    from npfill import checkpoint, zoo
    from npfill.evaluate.figures import on_grid, samples_figure
    from npfill.sampling import sampler_for

    found = zoo.find(model)
    weights = checkpoint.load(found.path)
    network = weights.model
    say_terms(talk, found.name, str(weights.provenance.get("terms", "")))
    samplers = [sampler_for(network, name) for name in inputs.samplers(sampler)]
    size, channels = network.config.size, network.config.channels
    if max(counts) > size**2:
        raise UsageError(
            f"--contexts {contexts}: a picture of {found.name} has {size**2:,} pixels",
            f"numbers of 1 to {size**2}",
        )
    picture = on_grid(inputs.picture(source, size, channels, talk).image, size, channels)
    figure = samples_figure(network, picture, counts, samplers, samples, seed)
    _write_png(plan, figure, found.name, seed, talk)


@app.command("compare")
def compare_command(
    image: _Image = None,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="White is filled, black is kept.")
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(min=1, help=f"Random context pixels; {_DEFAULT_CONTEXT} if no mask."),
    ] = None,
    data: _Data = None,
    index: _Index = None,
    models: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Models and baselines; all for digits if none."),
    ] = None,
    samples: Annotated[int, typer.Option(min=0, max=100, help="Samples of each.")] = 3,
    seed: _Seed = 0,
    output: _Output = None,
    overwrite: _Overwrite = False,
) -> None:
    """One picture and context through many models: npfill-compare.png, a row for each."""
    source, talk = inputs.Source(image, data, index), Talk()
    if mask is not None and context is not None:
        raise UsageError("--mask and --context both say what is observed", "give one of them")
    plan = _plan(output, "npfill-compare.png", overwrite, [image, mask])

    from npfill import baselines, checkpoint, zoo
    from npfill.pictures.picture import intensities
    from npfill.pictures.sheet import contact_sheet

    labels = inputs.labels(models)
    network = next((name for name in labels if name not in baselines.NAMES), _DIGITS)
    config = checkpoint.load(zoo.find(network).path).model.config
    picture = inputs.picture(source, config.size, config.channels, talk)
    hole = inputs.hole(picture, mask, context or _DEFAULT_CONTEXT, seed, talk)
    values = intensities(picture.image)
    rows = _rows(values, hole, labels, samples, seed, talk)
    sheet = contact_sheet(values, hole, rows)
    _write_png(plan, sheet, ", ".join(row.label for row in rows), seed, talk)


@app.command("reveal")
def reveal_command(
    image: Annotated[Path, typer.Argument(metavar="IMG", help="The picture.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A name of npfill models, or a file.")
    ] = "auto",
    frames: Annotated[
        int, typer.Option(min=2, max=1000, help="Frames, from few pixels to all.")
    ] = 24,
    seed: _Seed = 0,
    output: _Output = None,
    overwrite: _Overwrite = False,
) -> None:
    """Context, mean and std while a picture is revealed: npfill-reveal.webp, animated.

    A picture whose longer side has more than 256 pixels is scaled down first.
    """
    plan = _plan(output, "npfill-reveal.webp", overwrite, [image, Path(model)])
    talk = Talk()
    whole = inputs.read(image, talk).image

    from npfill import checkpoint, zoo
    from npfill.evaluate import reveal
    from npfill.pictures.picture import intensities

    small = reveal.scaled_down(whole, _LONGEST)
    size = small.height, small.width
    counts = reveal.revealed_counts(small.height * small.width, frames)
    found = zoo.find(model)
    weights = checkpoint.load(found.path)
    network = weights.model
    say_terms(talk, found.name, str(weights.provenance.get("terms", "")))
    if small.size != whole.size:
        talk.say(f"{image}: scaled down to {small.width}x{small.height}")
    grid = reveal.grid_of(size, network)
    if grid != size:
        talk.say(f"{found.name} predicts {grid[1]}x{grid[0]} points, interpolated between them")
    values = intensities(small)
    steps = reveal.frames(network, values, counts, seed)
    shown = list(_with_progress(steps, "revealing", frames))
    content = reveal.webp_bytes(
        reveal.drawn(values, shown), f"npfill figure reveal: model {found.name}, seed {seed}"
    )
    _write(plan, content, f"{frames} frames, model {found.name}, seed {seed}", talk)


def _rows(
    values: "np.ndarray",
    hole: "np.ndarray",
    labels: Mapping[str, str],
    samples: int,
    seed: int,
    talk: Talk,
) -> "list[Row]":
    """A completion by each model; a baseline that cannot do it is left out."""
    from npfill import baselines
    from npfill.completion import complete
    from npfill.pictures.sheet import Row

    rows = []
    for name in _with_progress(labels, "completing", len(labels)):
        try:
            done = complete(values, hole, name, samples, seed)
        except (ModelError, InputError) as error:
            if name not in baselines.NAMES:
                raise
            talk.warn(f"{name} is left out: {error}; {error.hint}")
            continue
        rows.append(Row(labels[name], done.mean, done.std, list(done.samples)))
        for note in done.notes:
            talk.warn(f"{labels[name]}: {note}")
    if not rows:
        raise ModelError("no model is left to compare", "npfill models lists the names")
    return rows


def _with_progress(items: Iterable[Item], doing: str, total: int) -> Iterable[Item]:
    """The items, with a bar on stderr while they are worked on, if that is a terminal."""
    hidden = not stderr.is_terminal
    return track(items, doing, total, console=stderr, transient=True, disable=hidden)


def _plan(output: Path | None, name: str, overwrite: bool, given: list[Path | None]) -> Path:
    """Where the figure goes; refused, before any work is done, where it cannot or must not."""
    from npfill.files import refuse_existing, refuse_inputs, refuse_unwritable

    output = output or Path()
    path = output if output.suffix and not output.is_dir() else output / name
    suffix = Path(name).suffix
    if path.suffix.lower() != suffix:
        raise UsageError(f"{output}: the figure is written as {suffix}", f"-o NAME{suffix}")
    refuse_inputs([path], [file for file in given if file])
    refuse_existing([path], overwrite)
    refuse_unwritable([path])
    return path


def _write_png(path: Path, figure: "Image", models: str, seed: int, talk: Talk) -> None:
    """Write a figure, with what made it in the PNG's text."""
    from npfill.pictures.formats import png_bytes
    from npfill.version import __version__

    text = {"npfill_model": models, "npfill_seed": str(seed), "npfill_version": __version__}
    _write(path, png_bytes(figure, text), f"{models}, seed {seed}", talk)


def _write(path: Path, content: bytes, of: str, talk: Talk) -> None:
    from npfill.files import write_bytes

    write_bytes(path, content)
    talk.say(f"wrote {path}: {of}")
