"""What a result says of where it comes from, in the text of its PNG."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from npfill import __version__
from npfill.cli.masking import MaskOptions, sha256_of
from npfill.errors import InputError
from npfill.pictures.hole import Hole
from npfill.pictures.masked import MaskedPicture

if TYPE_CHECKING:
    from npfill.cli.completing import Chosen, Drawing

_OPTIONS: dict[str, type | tuple[type, ...]] = {
    "--mask": str,
    "--box": list,
    "--invert-mask": bool,
    "--grow": int,
    "--mask-threshold": (int, float),
    "--fit-mask": bool,
    "--model": str,
    "--seed": int,
    "--sampler": str,
    "--rounds": int,
    "--noise": bool,
    "--device": str,
}


def origin_text(
    image: Path,
    masking: MaskOptions,
    incomplete: MaskedPicture,
    hole: Hole,
    by: "Chosen",
    drawing: "Drawing",
) -> dict[str, str]:
    """The entries of a result; they depend on nothing but what its pixels depend on."""
    options = {
        "--mask": masking.mask,
        "--box": masking.boxes,
        "--invert-mask": masking.invert,
        "--grow": masking.grow,
        "--mask-threshold": masking.threshold,
        "--fit-mask": masking.fit,
        "--model": by.word,
        "--seed": drawing.seed,
        "--sampler": drawing.sampler,
        "--rounds": drawing.rounds,
        "--noise": drawing.noise,
        "--device": by.device,
    }
    given = {name: value for name, value in options.items() if value or name == "--seed"}
    text = {
        "npfill_version": __version__,
        "npfill_model": by.name,
        "npfill_seed": str(drawing.seed),
        "npfill_sampler": drawing.sampler,
        "npfill_image_sha256": incomplete.sha256(opaque=masking.mask == "alpha"),
        "npfill_mask_sha256": sha256_of(hole),
        # In ASCII, so that any path can be said.
        "npfill_options": json.dumps({"image": str(image)} | given),
    }
    if by.sha256 is not None:
        text["npfill_model_sha256"] = by.sha256
    return text


@dataclass(frozen=True)
class Origin:
    """What a result says of itself.

    Attributes:
        text: The entries of its PNG.
        image: The picture that it completes.
        options: Options of `npfill complete` by name, those at their defaults left out.
    """

    text: Mapping[str, str]
    image: Path
    options: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path) -> "Origin":
        """Read a result.

        Raises:
            InputError: It cannot be read, npfill did not write it, or says too little in it.
        """
        text = _png_text(path)
        if "npfill_output" not in text:
            raise InputError(
                f"{path}: does not say that npfill complete made it",
                "programs that save a PNG again often drop its text",
            )
        try:
            options = json.loads(text["npfill_options"])
            image = Path(options.pop("image"))
            if not all(isinstance(value, _OPTIONS[name]) for name, value in options.items()):
                raise TypeError  # noqa: TRY301
        except (KeyError, ValueError, TypeError, AttributeError):
            raise InputError(
                f"{path}: says too little of how it was made", "another version of npfill wrote it"
            ) from None
        return cls(text, image, options)

    @property
    def masking(self) -> MaskOptions:
        """How the hole was selected."""
        given = self.options.get
        return MaskOptions(
            given("--mask"),
            given("--box", []),
            given("--invert-mask", False),
            given("--grow", 0),
            given("--mask-threshold"),
            given("--fit-mask", False),
        )

    @property
    def drawing(self) -> "Drawing":
        """How samples were drawn, as many as the result needs."""
        from npfill.cli.completing import Drawing

        given = self.options.get
        return Drawing(
            self.samples,
            given("--seed", 0),
            given("--sampler", "auto"),
            given("--rounds"),
            given("--noise", False),
        )

    @property
    def samples(self) -> int:
        """How many samples the result needs."""
        output = self.text["npfill_output"]
        number = (
            output.removeprefix("sample-") if output != "sheet" else self.text["npfill_samples"]
        )
        return int(number) if number.isdecimal() else 0

    def command(self, result: Path) -> str:
        """The command that makes the result, to be pasted into a shell."""
        words = ["npfill", "complete", str(self.image)]
        for name, value in self.options.items():
            for each in value if isinstance(value, list) else [value]:
                words += [name] if each is True else [name, str(each)]
        output = self.text["npfill_output"]
        kind = output.partition("-")[0]
        words += ["--samples", str(self.samples)]
        words += ["--emit", "samples" if kind == "sample" else kind]
        words += ["-o", str(result if self.samples <= 1 or kind != "sample" else result.parent)]
        return shlex.join(words)


def _png_text(path: Path) -> dict[str, str]:
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            return {key: str(value) for key, value in image.info.items() if isinstance(key, str)}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "check the name and the folder") from None
    except Exception as error:  # broken files make decoders raise nearly anything
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: cannot be read as a PNG ({reason})", "results of npfill are PNG files"
        ) from None
