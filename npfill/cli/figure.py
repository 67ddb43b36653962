"""`npfill figure`: pictures of what models predict, for papers and talks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from npfill.cli.console import Reporter, progress, say_terms
from npfill.cli.options import OverwriteFile, TestPictures, place_of
from npfill.errors import UsageError
from npfill.files import refuse_inputs, refuse_results, write_bytes
from npfill.notes import about

if TYPE_CHECKING:
    from npfill.pictures.picture import Picture

app = typer.Typer(help="Draw what models predict, for papers and talks.", no_args_is_help=True)
# The longer side of a picture that is revealed, at most.
_LONGEST = 256
_DEFAULT_CONTEXT, _CONTEXTS = 50, "10,100,300,784"

_Image = Annotated[
    Path | None, typer.Argument(metavar="[IMG]", help="The picture; the bundled digit if none.")
]
_Index = Annotated[
    int | None, typer.Option(min=0, help="Which of the test pictures; the first is 0.")
]
_Seed = Annotated[int, typer.Option(min=0, help="The seed of observed pixels and of samples.")]
_Output = Annotated[str | None, typer.Option("--output", "-o", help="A folder or a file.")]


@app.command("samples")
def samples_command(
    image: _Image = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A name of npfill models, or a file.")
    ] = "lcnp-mnist",
    data: TestPictures = None,
    index: _Index = None,
    contexts: Annotated[
        str | None,
        typer.Option(
            metavar="N,...", help=f"Numbers of context pixels; {_CONTEXTS} or fewer if none."
        ),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME,...",
            help="auto, latent, autoregressive, independent, exemplar, flow; side by side.",
        ),
    ] = "auto",
    samples: Annotated[int, typer.Option(min=1, max=100, help="Samples of each.")] = 5,
    seed: _Seed = 0,
    output: _Output = None,
    overwrite: OverwriteFile = False,
) -> None:
    """Samples given more and more random pixels of a picture: npfill-samples.png.

    What is not observed is blue. Samples show the model's prediction of every pixel, observed
    ones too. Of a picture, the centre square is taken, at the model's size.
    """
    from npfill.evaluate import figures

    source, reporter = figures.Source(image, data, index), Reporter()
    counts = _numbers(_CONTEXTS if contexts is None else contexts)
    path = _place(output, "npfill-samples.png", overwrite, [image, Path(model)])
    found = figures.neural(model)
    say_terms(reporter, found.name, found.terms)
    samplers = figures.samplers_of(found, sampler)
    size, channels = found.model.config.size, found.model.config.channels
    if contexts is None:
        counts = sorted({min(count, size**2) for count in counts})
    if max(counts) > size**2:
        raise UsageError(
            f"`contexts={contexts}`: a picture of {found.name} has {size**2:,} pixels",
            f"numbers of 1 to {size**2}",
        )
    picture = _noted(source.picture(size, channels), reporter)
    square = figures.on_grid(picture.image, size, channels)
    figure = figures.samples_figure(found.model, square, counts, samplers, samples, seed)
    content = figures.png(figure, found.name, seed)
    _write(path, content, f"{found.name}, seed {seed}", reporter, overwrite, image or data)


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
    data: TestPictures = None,
    index: _Index = None,
    models: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Models and baselines; all for digits if none."),
    ] = None,
    samples: Annotated[int, typer.Option(min=0, max=100, help="Samples of each.")] = 3,
    seed: _Seed = 0,
    output: _Output = None,
    overwrite: OverwriteFile = False,
) -> None:
    """One picture and context through many models: npfill-compare.png, a row for each."""
    from npfill.evaluate import figures

    source, reporter = figures.Source(image, data, index), Reporter()
    if mask is not None and context is not None:
        raise UsageError("`mask` and `context` both say what is observed", "give one of them")
    path = _place(output, "npfill-compare.png", overwrite, [image, mask])
    labels = figures.compared(models)
    size, channels = figures.grid_of(labels)
    picture = _noted(source.picture(size, channels), reporter)
    hole = figures.context_hole(picture, mask, context or _DEFAULT_CONTEXT, seed)
    reporter.note(*(about(str(mask), note) for note in hole.notes))
    reporter.say(hole.line)
    with progress(len(labels), "completing", lines=False) as bar:
        sheet, names, notes = figures.compare_figure(
            picture, hole, labels, samples, seed, bar.advance
        )
    reporter.note(*notes)
    models = ", ".join(names)
    content = figures.png(sheet, models, seed)
    _write(path, content, f"{models}, seed {seed}", reporter, overwrite, image or data)


@app.command("reveal")
def reveal_command(
    image: Annotated[Path, typer.Argument(metavar="IMG", help="The picture.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A name of npfill models, or a file.")
    ] = "auto",
    frames: Annotated[
        int, typer.Option(min=2, max=1000, help="Frames, from few pixels to all.")
    ] = 24,
    by: Annotated[
        str,
        typer.Option(
            metavar="RULE", help="random, low-discrepancy, raster, highest; next: see npfill next."
        ),
    ] = "random",
    seed: _Seed = 0,
    output: _Output = None,
    overwrite: OverwriteFile = False,
) -> None:
    """Context, mean and std while a picture is revealed: npfill-reveal.webp, animated.

    A picture whose longer side has more than 256 pixels is scaled down first.
    """
    from npfill.evaluate import figures, reveal

    path = _place(output, "npfill-reveal.webp", overwrite, [image, Path(model)])
    reporter = Reporter()
    whole = _noted(figures.Source(image, None, None).picture(0, 0), reporter).image
    small = reveal.scaled_down(whole, _LONGEST)
    size = small.height, small.width
    counts = reveal.revealed_counts(small.height * small.width, frames)
    found = figures.neural(model)
    say_terms(reporter, found.name, found.terms)
    if small.size != whole.size:
        reporter.say(f"{image}: scaled down to {small.width}x{small.height}")
    grid = reveal.grid_of(size, found.model)
    if grid != size:
        reporter.say(f"{found.name} predicts {grid[1]}x{grid[0]} points, interpolated between them")
    order = "" if by == "random" else f", by {by}"
    made_by = f"model {found.name}, seed {seed}{order}"
    with progress(frames, "revealing", lines=False) as bar:
        content = reveal.animation(
            found.model, small, counts, seed, f"npfill figure reveal: {made_by}", bar.advance, by
        )
    _write(path, content, f"{frames} frames, {made_by}", reporter, overwrite, image)


def _numbers(contexts: str) -> list[int]:
    """Numbers of context pixels from text such as "10,100"."""
    words = [word.strip() for word in contexts.split(",")]
    if not all(word.isdecimal() and len(word) < 12 and int(word) > 0 for word in words):
        raise UsageError(f"`contexts={contexts}`: not numbers of pixels", "such as 10,100")
    return [int(word) for word in words]


def _noted(picture: "Picture", reporter: Reporter) -> "Picture":
    """The picture, once what the user should know of it is said."""
    reporter.note(*(about(picture.name, note) for note in picture.notes))
    return picture


def _place(output: str | None, name: str, overwrite: bool, given: list[Path | None]) -> Path:
    """The file of the figure; refused, before any work, where it cannot or must not be written."""
    path = place_of(output, Path(name), "the figure")
    refuse_inputs([path], [file for file in given if file])
    refuse_results([path], overwrite)
    return path


def _write(
    path: Path, content: bytes, of: str, reporter: Reporter, overwrite: bool, like: Path | None
) -> None:
    """Write a figure, as private as the picture that it shows, and say so."""
    write_bytes(path, content, overwrite=overwrite, like=like)
    reporter.say(f"wrote {path}: {of}")
