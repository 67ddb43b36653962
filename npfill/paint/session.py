"""The pictures of a page: read, filled where they are painted, and saved as the command would.

A session knows nothing of tabs: whoever asks names the picture, the hole and the options.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Event, Lock

import numpy as np

from npfill.completion.completed import CompletedPicture, complete_prepared
from npfill.completion.hole import MaskOptions, Prepared, hole_of, prepare
from npfill.completion.inputs import find_pictures
from npfill.completion.mask_files import masks_of
from npfill.completion.mask_names import folded, pictures_named
from npfill.completion.names import beginnings
from npfill.completion.outputs import OutputOptions, Result, render
from npfill.completion.parameters import SamplingOptions
from npfill.completion.run import Run
from npfill.errors import InputError, NpfillError, OverwriteError, UsageError
from npfill.files import refuse_inputs, refuse_results
from npfill.mask.proposal import threshold_of
from npfill.paint.shown import believed, transparent
from npfill.pictures import stores
from npfill.pictures.formats import png_bytes, suffixes_read
from npfill.pictures.picture import Picture
from npfill.pictures.planes import Selected
from npfill.pictures.read import MAX_PIXELS, STDIN, read_picture
from npfill.pictures.sidecars import copy_beside
from npfill.steps import told

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
        max_pixels: The most pixels of a picture or mask that is read; about 89 million by default.

    Raises:
        NpfillError: There is no picture, `output` is a file or would take the masks of two pictures
            of one name or cannot be written in, or the only picture or its mask cannot be used.
    """

    def __init__(
        self,
        images: Sequence[str],
        masks: Sequence[str],
        output: str | None,
        device: str,
        max_pixels: int | None = None,
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
        self._output, self._device, self._most = output, device, max_pixels or MAX_PIXELS
        self._names = [path.name for path in beginnings(files, beside=output is None)[0]]
        named = zip(self.files, self._names, strict=True)
        self._masks = [Path(output or file.parent, f"{name}_mask.png") for file, name in named]
        if len({*self._masks}) < len(self._masks):
            raise UsageError(f"{output}: would hold two pictures of one name", "paint each alone")
        refuse_results(self._masks, overwrite=True)  # what is painted must not be lost
        self.picture = lru_cache(2)(self._read)
        self._last: tuple[object, CompletedPicture] | None = None
        self._one, self._saving, self._ended = ThreadPoolExecutor(1), Lock(), Event()
        if len(self.files) == 1:  # the page says it of one among several
            (self.begun if self._words[0] else self.picture)(0)

    def _read(self, number: int) -> Picture:
        damaged = "damaged" in self._words[number]
        return read_picture(self.files[number], self._most, damaged=damaged)

    def begun(self, number: int) -> Selected:
        """The hole that a picture begins with: by masks that were named, or beside it, or alpha."""
        picture, words, path = self.picture(number), self._words[number], self.files[number]
        if not words:
            names = {folded(path.name), folded(self._names[number])}
            beside = (self._masks[number], *sorted(path.parent.glob("*")))
            own = [x for x in beside if names & {*map(folded, pictures_named(x.stem))}]
            words = [str(x) for x in own if x.suffix.lower() in suffixes_read() and x.is_file()][:1]
        if not words and not picture.lacking.any():
            return transparent(picture)
        masks = [believed(word, self._most) for word in words]
        return hole_of(MaskOptions(masks), picture).selected

    def _hole(self, asked: Asked, selected: Selected, mask: Picture | None = None) -> MaskOptions:
        """The mask of what is painted, or its file, and words that say more than which pixels.

        What is transparent becomes opaque if all of it is painted.
        """
        own = [word for word in self._words[asked.number] if word in {"alpha", "damaged"}]
        clear = transparent(self.picture(asked.number))
        if "alpha" not in own and clear.any() and selected[clear].all():
            own.append("alpha")
        threshold = None if mask else threshold_of(selected, self.picture(asked.number))
        masks = [*own, mask or str(self._masks[asked.number])]
        return MaskOptions(masks, grow=asked.grow, mask_threshold=threshold)

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
        prepared = prepare(self.picture(asked.number), self._hole(asked, selected, mask))
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
            return complete_prepared(
                name, prepared, predictor, how, asked.samples, max_pixels=self._most
            )

    def options(self, asked: Asked, selected: Selected, result: str) -> dict[str, object]:
        """The options of the command that makes a result, by name, without those by default."""
        masking = self._hole(asked, selected)
        options: dict[str, object] = {"mask": masking.words, "grow": asked.grow, "seed": asked.seed}
        options |= {"model": asked.model, "device": self._device}
        options |= {"mask_threshold": int(masking.mask_threshold or 0)}
        options = {name: value for name, value in options.items() if value not in (0, "auto")}
        options |= {"samples": asked.samples} if result in {"samples", "sheet"} else {}
        output = self._output_options(asked.number, result)
        options |= {"max_pixels": self._most} if self._most != MAX_PIXELS else {}
        placed = {"name": output.name, "output": output.output}
        return options | {"emit": result} | {name: each for name, each in placed.items() if each}

    def _output_options(self, number: int, result: str) -> OutputOptions:
        """The options of results, which replace what exists: `save` asks before it writes."""
        path = self.files[number]
        name = None if self._names[number] == path.stem else f"{{stem}}{path.suffix}_{{result}}"
        return OutputOptions(self._output, result, True, max_pixels=self._most, name=name)

    def save(
        self, asked: Asked, selected: Selected, result: str, sample: int, *, overwrite: bool
    ) -> tuple[list[Path], list[str]]:
        """Write the mask, and a result as the command writes it with that mask.

        Args:
            asked: What is asked.
            selected: True where the picture is painted.
            result: `mask` for that alone, or a name of an output.
            sample: The number of the sample that is meant, from 1; 0 for all that is made.
            overwrite: Replace what exists.

        Returns:
            The files, and sentences on what lies beside the picture and is not copied.

        Raises:
            OverwriteError: Files exist, which are all named; none is written.
            NpfillError: The command would refuse it, too.
        """
        done = None if result == "mask" else self.fill(asked, selected, lambda *_: None)
        path, source = self._masks[asked.number], self.files[asked.number]
        with self._saving:
            made = [] if done is None else self._made(done, asked, selected, result, sample)
            contents = {each.path: content for each, content in made}
            if not self._is_saved(asked.number, selected):
                levels = np.where(selected, np.uint8(255), np.uint8(0))[..., None]
                contents = {path: png_bytes(Picture(levels, "PNG", "mask"), {})} | contents
            refuse_inputs(contents, self.files)
            exist = "; ".join(f"{each}: exists" for each in contents if os.path.lexists(each))
            if exist and not overwrite:
                raise OverwriteError(exist, "`overwrite=True`")
            for each, content in contents.items():
                stores.write(each, content, overwrite=overwrite, like=source)
            paths = {each.path: each.output.is_picture for each, _ in made if each.output.on_grid}
            picture = self.picture(asked.number)  # what lies beside results was not named
            return [*contents], copy_beside(picture, source, paths, overwrite=False)

    def _made(
        self, done: CompletedPicture, asked: Asked, selected: Selected, result: str, sample: int
    ) -> list[tuple[Result, bytes]]:
        """The results of a completion as the command writes them; of a picture as it is now."""
        image, masking = str(self.files[asked.number]), self._hole(asked, selected)
        output = self._output_options(asked.number, result)
        picture, masked = self._read(asked.number), done.prepared.masked
        before, after = masked.picture.values, picture.values
        if (before.shape, before.tobytes()) != (after.shape, after.tobytes()):
            self.picture.cache_clear()
            self._last = None
            raise InputError(f"{image}: has changed", "save the mask, load the page again")
        run = Run([image], masking, done.sampling, output, asked.model, self._device)
        masked = replace(masked, picture=picture)
        done = replace(done, prepared=replace(done.prepared, masking=masking, masked=masked))
        results = run.jobs[0].results[sample - 1 : sample] if sample else run.jobs[0].results
        return [*zip(results, render(results, done, keep=False), strict=True)]

    def _is_saved(self, number: int, selected: Selected) -> bool:
        """True if the file of a mask selects the same already."""
        with suppress(NpfillError):  # there may be none, or that of a picture of another size
            known = MaskOptions(believed(str(self._masks[number]), self._most))
            return np.array_equal(hole_of(known, self.picture(number)).selected, selected)
        return False

    def end(self) -> None:
        """End what is under way, but what is being saved."""
        self._ended.set()
        self._one.shutdown(cancel_futures=True)
        self._saving.acquire()
