"""Completion from Python: a picture in, the same picture completed out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from itertools import repeat, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from npfill.completion.completed import complete_prepared
from npfill.completion.dataset import as_dataset, as_lies, is_labelled, picture_of
from npfill.completion.doubt import refuse_interval, refuse_open
from npfill.completion.hole import Mask, MaskOptions, prepare
from npfill.completion.inputs import find_pictures
from npfill.completion.mask_files import find_masks
from npfill.completion.names import apart, beginnings
from npfill.completion.notebook import progress_in_notebook
from npfill.completion.parameters import SamplingOptions, check_number
from npfill.completion.result import Completion
from npfill.errors import NpfillError, UsageError
from npfill.pictures.asked import as_asked
from npfill.pictures.convert import PictureInput, as_masks, as_picture
from npfill.pictures.formats.grids import Data
from npfill.pictures.nodata import with_missing
from npfill.pictures.picture import AUTO, Asked, Picture
from npfill.pictures.read import MAX_PIXELS, STDIN
from npfill.pictures.stores import is_store

if TYPE_CHECKING:
    from npfill.predictor import Model

Box = Sequence[int] | str


def complete(
    picture: object,
    mask: object = None,
    model: "Model" = "auto",
    samples: int = 3,
    seed: int = 0,
    *,
    box: Box | Sequence[Box] | None = (),
    invert_mask: bool = False,
    grow: int = 0,
    mask_threshold: float | int | None = None,
    fit_mask: bool = False,
    mask_label: int | str | Sequence[int | str] = (),
    keep_out: object = None,
    inner: bool = False,
    max_distance: float | None = None,
    sampler: str = "auto",
    rounds: int | None = None,
    noise: bool = False,
    draw_from: object = None,
    check: bool = True,
    adapt: int | str = 0,
    kind: str = AUTO,
    wrap: str = "",
    nodata: float | int | None = None,
    log: bool = False,
    clip: bool = False,
    variable: str = "",
    confidence: float | None = None,
    tolerance: float | None = None,
    device: str = "auto",
    max_pixels: int | None = None,
) -> Completion | Data:
    """Complete the missing pixels of a picture or of data, as `npfill complete` does.

    uint8 and uint16 in one to four channels are pictures, the last of two or four being alpha.
    Floats in one or three channels are intensities if all observed ones lie in [0, 1]. All else is
    data in any unit. Values under the hole are never used.

    Args:
        picture: The path of a file; a Pillow image; an array "height width" or "height width
            channel", masked or not; a tensor, with channels first or last; or an array of xarray,
            whose planes are completed one by one, and for which a data set of `mean`, `std` and
            `sample` is returned. NaN and masked entries are missing.
        mask: What is missing, too, with the rules of the command: the path of a mask, `alpha` for
            what is transparent, `color:magenta` or `color:#rrggbb~TOLERANCE` for what has a colour,
            `damaged` for what could not be decoded of a torn PNG or JPEG; or an image, array or
            tensor "height width", True or white where pixels are missing, and where a masked array
            is masked. A list of paths, images and arrays is their union. Booleans of the picture's
            shape are a mask for each channel, each completed by itself.
        model: A name that `npfill models` lists, a path to a weight file or a run's folder, the
            name of a baseline (`npfill.baselines.BASELINES`), or a model or baseline itself; `auto`
            is that for photographs, and of data but classes, or floats in one channel, for data.
        samples: The number of samples.
        seed: Sample k depends on the seed and k alone.
        box: A box that is missing, or several: left, top, width and height in pixels.
        invert_mask: Complete what the mask keeps.
        grow: Pixels that the hole grows by; negative shrinks it.
        mask_threshold: The lowest level of the mask that is missing; half of full scale by default.
        fit_mask: Resize a mask of another size.
        mask_label: Of a mask that is a map of classes, the missing one or ones: numbers or colours.
        keep_out: What is neither filled nor used, as land or sky: a mask, as `mask`.
        inner: Fill no hole that touches a border of the picture.
        max_distance: Fill nothing farther than so many pixels from any that is observed.
        sampler: `latent`, `autoregressive`, `independent`, `exemplar`, `flow`; `auto` chooses one.
        rounds: The number of rounds that `autoregressive` draws pixels in; 16 by default.
        noise: Draw the pixels of samples where they would be means.
        draw_from: A mask, as `mask`, of where samples of `exemplar` take patches from, if white.
        confidence: The probability of intervals; 0.9 by default.
        tolerance: The width of an interval in levels or units of data, or the chance of a wrong
            class, beyond which a pixel stays open: transparent or NaN in files, True in `open`.
        check: Check the standard deviation on the picture itself, and rescale it by what is found.
        adapt: Steps, or a time as "60s", to train the network on what the picture shows.
        kind: What values are: `auto`; `data`, numbers in any unit; `classes`, labels, of which the
            mean is the most probable and std the probability of being wrong; `angle` or
            `angle:TURN`, numbers of which 0 and TURN, by default 360, are one.
        wrap: `columns` if the first column follows the last, as at the date line.
        nodata: The value that says that there is none; what has it is data, not a photograph.
        log: Complete the logarithm of data, all above 0, and take it back: the mean is a median
            then, and std half of the interval of one standard deviation on each side.
        variable: Of a file of netCDF or a zarr store, the variable.
        clip: Fill data with no value beyond those that were observed.
        device: `cpu`, `cuda`, `cuda:N` or `mps`; `auto` is the best there is, and for a model
            itself, where it is. Baselines run on the CPU.
        max_pixels: The most pixels of a file that is read; about 89 million by default.

    Raises:
        InputError: Picture and mask do not fit, nothing is missing, or the model is not for it.
        ModelError: The model is unknown or damaged, predicts no finite numbers, or lacks a package.
        UsageError: The options contradict each other, or the device is not there.
    """
    optional = {"rounds": rounds, "max_distance": max_distance, "nodata": nodata}
    optional |= {"mask_threshold": mask_threshold, "max_pixels": max_pixels}
    check_number("samples", samples, like="seed")
    for name, value in ({"seed": seed, "grow": grow} | optional).items():
        if value is not None or name not in optional:
            check_number(name, value)
    most = MAX_PIXELS if max_pixels is None else max_pixels
    words = [mask] if isinstance(mask, str) else mask if isinstance(mask, list | tuple) else []
    damaged = any(isinstance(word, str) and word == "damaged" for word in words)
    none_, growth = getattr(nodata, "item", lambda: nodata)(), getattr(grow, "item", lambda: grow)()
    asked = Asked(kind, wrap, none_, log, clip, variable)
    if is_labelled(picture):
        given = PictureInput(picture_of(picture, "the array"), "height width channel")
    else:
        given = as_picture(picture, "the picture", most, damaged=damaged, variable=variable)
    given = replace(given, picture=as_asked(given.picture, asked, str(model)))
    mask, keep_out, draw_from = as_lies([mask, keep_out, draw_from], picture, given.picture)
    source = None if draw_from is None else as_masks(draw_from, "`draw_from`")[0]
    drawing = samples, seed, sampler, rounds, noise, not check
    how = SamplingOptions(*drawing, confidence, tolerance, source, adapt)
    refuse_interval(given.picture, how)
    known, rest = _by_channel(given.picture, mask)
    threshold, farthest = (x if x is None else float(x) for x in (mask_threshold, max_distance))
    labels = [mask_label] if isinstance(mask_label, int | float | str | np.generic) else mask_label
    never = None if keep_out is None else as_masks(keep_out, "`keep_out`")
    shape = (rest, _boxes(box), invert_mask, growth, threshold, fit_mask, labels)
    prepared = prepare(known, MaskOptions(*shape, never, inner, farthest), most)
    refuse_open(prepared, "PNG", tolerance if is_labelled(picture) else None)

    from npfill.predictor import load  # noqa: PLC0415 - torch, once nothing more can be refused

    predictor = load(model, device)
    image = str(picture if isinstance(picture, str | Path) else STDIN)
    with progress_in_notebook():
        done = complete_prepared(image, prepared, predictor, how, samples)
    notes = (*prepared.notes, *done.notes)
    return as_dataset(done, picture) if is_labelled(picture) else Completion(done, given, notes)


def complete_many(
    pictures: str | Path | Iterable[object],
    masks: object = None,
    model: "Model" = "auto",
    samples: int = 3,
    seed: int = 0,
    *,
    recursive: bool = False,
    on_error: Callable[[object, NpfillError], None] | None = None,
    **options: Any,
) -> Iterator[Completion | Data]:
    """Complete pictures one after another; the model is loaded once.

    Args:
        pictures: A folder, pattern or file, as of `npfill complete`; or pictures as of `complete`.
        masks: A mask for all; a folder with one for each picture's name; or, in a list, tuple or
            array with one more axis, one for each picture.
        model: As of `complete`.
        samples: As of `complete`.
        seed: As of `complete`, of every picture.
        recursive: Look into folders below a folder, too.
        on_error: Called with a picture and what is wrong with it, in place of stopping there.
        options: Other options of `complete`.

    Yields:
        What `complete` returns, in order; `.save` keeps folders, and pictures of one name apart.

    Raises:
        NpfillError: As `complete` does, unless `on_error` is given.
    """
    triples, taken = _triples(pictures, masks, recursive), set[Path]()
    from npfill.predictor import load  # noqa: PLC0415 - torch, once pictures are found

    predictor = load(model, options.get("device", "auto"))
    for picture, mask, below in triples:
        try:
            wrong = picture if isinstance(picture, NpfillError) else mask
            if isinstance(wrong, NpfillError):
                raise wrong
            place = below if below.name else apart(picture, taken)
            done = complete(picture, mask, predictor, samples, seed, **options)
        except NpfillError as error:
            if on_error is None:
                raise
            on_error(picture, error)
        else:
            yield replace(done, below=place) if isinstance(done, Completion) else done


def _by_channel(picture: Picture, mask: object) -> tuple[Picture, Mask | Sequence[Mask] | None]:
    """The picture and its masks; one for each channel becomes a part of the picture."""
    if mask is None or isinstance(mask, str | Path):
        return picture, mask
    masks = as_masks(mask, "the mask")
    if len(masks) != 1 or isinstance(masks[0], str | Path):
        return picture, masks
    selected = masks[0].values
    fits = selected.shape == (*picture.size, picture.colours)
    if selected.dtype != np.bool_ or np.ndim(mask) < 3 or not fits:  # type: ignore[arg-type]
        return picture, masks[0]
    alpha = np.zeros((*picture.size, picture.values.shape[-1] - picture.colours), dtype=bool)
    told = replace(picture, info={**picture.info, "said": picture.missing})
    return with_missing(told, np.concatenate([selected, alpha], axis=-1)), None


def _boxes(box: Box | Sequence[Box] | None) -> Sequence[Box]:
    """Boxes, of which one may stand alone; None are none."""
    if isinstance(box, str) or not isinstance(box, Iterable):
        return [] if box is None else [str(box)]
    boxes = [*box]
    return boxes if all(isinstance(each, Iterable) for each in boxes) else [boxes]


def _triples(
    pictures: str | Path | Iterable[object], masks: object, recursive: bool
) -> Iterable[tuple[object, object, Path]]:
    """Each picture with its mask, or with the error that says why it has none, and its place."""
    places: Iterable[Path] = repeat(Path())
    if isinstance(pictures, str | Path):
        among = [Path(masks)] if isinstance(masks, str | Path) else []
        files = find_pictures([str(pictures)], recursive=recursive, masks=among)[0]
        pictures, places = [file.path for file in files], beginnings(files)[0]
        if among and among[0].is_dir() and not is_store(among[0]):
            masks = find_masks(among[0], files)
    one_for_each = isinstance(masks, list | tuple) or getattr(masks, "ndim", 2) > 2
    if not (isinstance(masks, Collection) and one_for_each):
        return zip(pictures, repeat(masks), places, strict=False)
    wrong = UsageError("not as many masks as pictures", "one for each, or one for all")
    if isinstance(pictures, Sized) and len(pictures) != len(masks):
        raise wrong
    pairs = zip_longest(pictures, masks, fillvalue=wrong)
    return ((*pair, place) for pair, place in zip(pairs, places, strict=False))
