"""The pictures of a page: read, filled where they are painted, and saved as the command would.

A session knows nothing of tabs: whoever asks names the picture, the hole and the options.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Event, Lock

import numpy as np
from jaxtyping import Bool

from npfill.completion.completed import CompletedPicture, complete_prepared
from npfill.completion.hole import MaskOptions, Prepared, hole_of, prepare
from npfill.completion.inputs import find_pictures
from npfill.completion.mask_files import masks_of
from npfill.completion.mask_names import pictures_named
from npfill.completion.outputs import OutputOptions, render
from npfill.completion.parameters import SamplingOptions
from npfill.completion.run import Run
from npfill.errors import InputError, NpfillError, OverwriteError, UsageError
from npfill.files import refuse_inputs, write_bytes
from npfill.pictures import stores
from npfill.pictures.formats import png_bytes
from npfill.pictures.picture import Picture
from npfill.pictures.read import STDIN, read_picture
from npfill.pictures.sidecars import copy_beside
from npfill.steps import told

Selected = Bool[np.ndarray, "height width"]
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """A request for a picture by its number: pixels to grow the hole by, and as the command."""

    number: int
    grow: int
    seed: int
    model: str
    samples: int


class Session:
    """Pictures to paint on, and one thread that completes them in turn.

    Args:
        images: Names of files, folders and patterns.
        masks: What the pictures begin with: files, folders, or words as `alpha`.
        output: The folder of what is saved; None is beside the pictures.
        device: Where models run.

    Raises:
        NpfillError: There is no picture, `output` is a file, or the only picture or its mask cannot
            be used.
    """

    def __init__(
        self, images: Sequence[str], masks: Sequence[str], output: str | None, device: str
    ) -> None:
        if stores.file_of(output) is not None:
            raise UsageError(f"{output}: a file", "`output=DIR/` takes what is saved")
        if str(STDIN) in images:
            raise UsageError("-: stdin cannot be painted on", "name files")
        masking = MaskOptions(masks or None)
        files, _, self.notes = find_pictures(images, masks=masking.files, results=output)
        found = masks_of(masking, files)
        self.files = [file.path for file in files]
        self._words = [[] if isinstance(one, InputError) else one.words for one in found]
        self._output, self._device = output, device
        self.picture = lru_cache(2)(self._read)
        self._last: tuple[object, CompletedPicture] | None = None
        self._one, self._saving, self._ended = ThreadPoolExecutor(1), Lock(), Event()
        if len(self.files) == 1:  # the page says it of one among several
            (self.begun if self._words[0] else self.picture)(0)

    def _read(self, number: int) -> Picture:
        return read_picture(self.files[number], damaged="damaged" in self._words[number])

    def mask_file(self, number: int) -> Path:
        """The file that the hole of a picture is saved to."""
        path, output = self.files[number], self._output
        return (path.parent if output is None else Path(output)) / f"{path.stem}_mask.png"

    def begun(self, number: int) -> Selected:
        """The hole that a picture begins with: by the masks that were named, or one beside it."""
        picture, path, words = self.picture(number), self.files[number], self._words[number]
        if not words:
            beside = sorted({self.mask_file(number), *path.parent.glob("*mask*")})
            own = [file for file in beside if path.stem in pictures_named(file.stem)]
            words = [str(file) for file in own if file.is_file()][:1]
        if not words and not picture.lacking.any():
            return np.zeros(picture.size, dtype=bool)
        return hole_of(MaskOptions(words), picture).selected

    def _masking(self, asked: Asked, mask: str | Picture) -> MaskOptions:
        """A mask, and with it the words that say more than which pixels are meant."""
        own = [word for word in self._words[asked.number] if word in {"alpha", "damaged"}]
        return MaskOptions([*own, mask], grow=asked.grow)

    def load(self, model: str) -> None:
        """Load a model and let it predict: the first time takes the longest."""

        def once() -> None:
            from npfill.predictor import load  # noqa: PLC0415 - loads torch

            hole = np.pad(np.ones((9, 9), dtype=bool), 90)
            grey = np.full((*hole.shape, 3), 0.5, dtype=np.float32)
            load(model, self._device).predict(grey, hole)

        self._one.submit(once).result()

    def fill(self, asked: Asked, selected: Selected, tell: Tell) -> CompletedPicture:
        """Complete a picture; the last completion is kept.

        Args:
            asked: What is asked.
            selected: True where it is painted.
            tell: Called with the work done and all of it; what it raises ends that.
        """
        key, last = (asked, np.packbits(selected).tobytes()), self._last
        if last is not None and last[0] == key:
            return last[1]
        mask = Picture(selected[..., None], "NPY", "the mask", is_data=True)
        prepared = prepare(self.picture(asked.number), self._masking(asked, mask))
        done = self._one.submit(self._complete, asked, prepared, tell).result()
        self._last = key, done
        return done

    def _complete(self, asked: Asked, prepared: Prepared, tell: Tell) -> CompletedPicture:
        from npfill.predictor import load  # noqa: PLC0415 - loads torch

        def step(done: int, total: int) -> None:
            if self._ended.is_set():
                raise NpfillError("the page was closed")
            tell(done, total)

        step(0, 0)
        how, name = SamplingOptions(asked.samples, asked.seed), str(self.files[asked.number])
        predictor = load(asked.model, self._device)
        with told(step):
            return complete_prepared(name, prepared, predictor, how, asked.samples)

    def options(self, asked: Asked, result: str) -> dict[str, object]:
        """The options of the command that makes a result, by name, without those by default."""
        masks = self._masking(asked, str(self.mask_file(asked.number))).words
        options: dict[str, object] = {"mask": masks, "grow": asked.grow, "seed": asked.seed}
        options |= {"model": asked.model, "device": self._device}
        options = {name: value for name, value in options.items() if value not in (0, "auto")}
        options |= {"samples": asked.samples} if result in {"samples", "sheet"} else {}
        return options | {"emit": result} | ({"output": self._output} if self._output else {})

    def save(
        self, asked: Asked, selected: Selected, result: str, sample: int, *, overwrite: bool
    ) -> list[Path]:
        """Write the mask, and a result as the command writes it with that mask.

        Args:
            asked: What is asked.
            selected: True where the picture is painted.
            result: `mask` for that alone, or a name of an output.
            sample: The number of the sample that is meant, from 1; 0 for all that is made.
            overwrite: Replace what exists.

        Raises:
            OverwriteError: A file exists.
            NpfillError: The command would refuse it, too.
        """
        done = None if result == "mask" else self.fill(asked, selected, lambda *_: None)
        with self._saving:
            written = self._save_mask(asked.number, selected, overwrite=overwrite)
            if done is None:
                return written
            masking = self._masking(asked, str(self.mask_file(asked.number)))
            output = OutputOptions(self._output, result, overwrite=overwrite)
            image = str(self.files[asked.number])
            run = Run([image], masking, done.sampling, output, asked.model, self._device)
            (job,) = run.jobs
            again, hashes = run.prepare(job), set[tuple[str, str]]()
            for one in (again, done.prepared):
                hashes.add((one.sha256, one.masked.sha256(opaque=False)))
            if len(hashes) > 1:
                raise InputError(f"{image}: has changed", "load the page again")
            wanted = job.results[sample - 1 : sample] if sample else job.results
            contents = render(wanted, replace(done, prepared=again), keep=False)
            for each, content in zip(wanted, contents, strict=True):
                stores.write(each.path, content, overwrite=overwrite, like=job.file.path)
            paths = {each.path: each.output.is_picture for each in wanted if each.output.on_grid}
            picture = again.masked.picture
            copy_beside(picture, job.file.path, paths, overwrite=overwrite)
            return written + [each.path for each in wanted]

    def _save_mask(self, number: int, selected: Selected, *, overwrite: bool) -> list[Path]:
        """Write a mask, unless its file selects the same already."""
        path = self.mask_file(number)
        if path.is_file() and not overwrite:
            with suppress(NpfillError):  # it may be that of a picture of another size
                if (hole_of(MaskOptions(path), self.picture(number)).selected == selected).all():
                    return []
            raise OverwriteError(f"{path}: exists, and is another mask", "`overwrite=True`")
        refuse_inputs([path], self.files)
        levels = np.where(selected, np.uint8(255), np.uint8(0))[..., None]
        content = png_bytes(Picture(levels, "PNG", "mask"), {})
        write_bytes(path, content, overwrite=overwrite, like=self.files[number])
        return [path]

    def end(self) -> None:
        """End what is under way, but what is being saved."""
        self._ended.set()
        self._one.shutdown(cancel_futures=True)
        self._saving.acquire()
