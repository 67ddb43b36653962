"""`npfill complete`: a picture and a mask become mean, std and samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from npfill.cli.console import say, warn
from npfill.errors import InputError, UsageError

if TYPE_CHECKING:
    from npfill.completion import Completion
    from npfill.zoo import Found

_IMAGE_SUFFIX = ".png"


def complete(
    image: Annotated[Path, typer.Argument(metavar="IMG", help="The picture with missing pixels.")],
    mask: Annotated[
        Path, typer.Option(help="White is filled, black is kept; the size of the picture.")
    ],
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A name of npfill models, or a file.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder for all files, or a .png for the mean."),
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="How many samples to draw.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Sample k depends on seed and k alone.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Complete a picture: IMG_mean.png, IMG_std.png and IMG_sample-1.png ... beside it."""
    from npfill.images.files import read_picture
    from npfill.images.masks import check, describe, read_mask
    from npfill.images.writing import refuse_existing

    # Everything that can be refused is refused before torch is loaded.
    paths = _plan(image, output, samples)
    picture = read_picture(image)
    size = picture.image.height, picture.image.width
    hole = check(read_mask(mask, size, picture_name=str(image), threshold=None, fit=False), str(mask))
    refuse_existing(list(paths.values()), overwrite)
    if any(path.exists() and path.samefile(image) for path in paths.values()):
        raise UsageError(f"{image} would be written onto itself", "-o names another file")
    for note in (*picture.notes, *hole.notes):
        warn(note)
    say(describe(hole))
    _run(picture.image, hole.selected, model, paths, samples, seed, device)


def _plan(image: Path, output: Path | None, samples: int) -> dict[str, Path]:
    """Which file each result goes to."""
    if output is not None and output.suffix.lower() == _IMAGE_SUFFIX:
        return {"mean": output}
    if output is not None and output.suffix and not output.is_dir():
        raise UsageError(f"{output}: results are written as PNG", "-o takes a folder or a .png")
    folder = output or image.parent
    digits = len(str(samples))
    names = ["mean", "std", *(f"sample-{k:0{digits}}" for k in range(1, samples + 1))]
    return {name: folder / f"{image.stem}_{name}.png" for name in names}


def _run(
    image: Any,
    hole: Any,
    model: str | None,
    paths: dict[str, Path],
    samples: int,
    seed: int,
    device: str,
) -> None:
    import time

    from npfill import checkpoint, devices, zoo
    from npfill.completion import complete as complete_picture
    from npfill.images.files import changed_outside
    from npfill.images.writing import write_bytes

    where = devices.resolve(device)
    found = zoo.find(model or zoo.DEFAULT)
    network = checkpoint.load(found.path).model
    started = time.perf_counter()
    completion = complete_picture(image, hole, network, samples, seed, str(where))
    seconds = time.perf_counter() - started
    pictures, texts = _pictures(image, hole, completion, found, seed)
    changed = sum(
        changed_outside(image, after, hole) for name, after in pictures.items() if name != "std"
    )
    if changed:
        raise InputError(f"{changed} px outside the hole would change", "please report this")
    for note in completion.notes:
        warn(note)
    for name, path in paths.items():
        from npfill.images.files import png_bytes

        write_bytes(path, png_bytes(pictures[name], texts[name]))
    say(f"model {found.name}, {where}, seed {seed}, {seconds:.2f} s")
    say(f"outside changed: {changed} px, mean std in the hole: {completion.std[hole].mean():.3f}")
    say("wrote " + ", ".join(str(path) for path in paths.values()))


def _pictures(
    image: Any, hole: Any, completion: "Completion", found: "Found", seed: int
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The result as pictures, and the text that goes into each file."""
    from npfill import __version__
    from npfill.images.files import std_picture, with_hole_filled
    from npfill.images.fitting import with_channels

    std, full_scale = std_picture(with_channels(completion.std), hole)
    pictures = {
        "mean": with_hole_filled(image, hole, with_channels(completion.mean), opaque=False),
        "std": std,
    }
    for number, sample in enumerate(completion.samples, start=1):
        name = f"sample-{number:0{len(str(len(completion.samples)))}}"
        pictures[name] = with_hole_filled(image, hole, with_channels(sample), opaque=False)
    common = {
        "npfill_version": __version__,
        "npfill_model": found.name,
        "npfill_model_sha256": found.sha256,
        "npfill_seed": str(seed),
    }
    texts = {name: common | {"npfill_output": name} for name in pictures}
    texts["std"]["npfill_std_full_scale"] = repr(full_scale)
    return pictures, texts
