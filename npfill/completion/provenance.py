"""The origin of a result: written into the text of its PNG, and read from it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from npfill.completion.hole import sha256_of
from npfill.completion.options import MaskOptions, SamplingOptions
from npfill.errors import InputError
from npfill.package import __version__
from npfill.pictures.hole import Hole
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.read import STDIN

if TYPE_CHECKING:
    pass

# The parameters of a completion that its pixels depend on, and the types of their values.
_TYPES: dict[str, type | tuple[type, ...]] = {
    "mask": str,
    "box": list,
    "invert_mask": bool,
    "grow": int,
    "mask_threshold": (int, float),
    "fit_mask": bool,
    "model": str,
    "seed": int,
    "sampler": str,
    "rounds": int,
    "noise": bool,
    "device": str,
}


def _key(parameter: str) -> str:
    """The key of a parameter in `npfill_options`: its option on a command line."""
    return f"--{parameter.replace('_', '-')}"


@dataclass(frozen=True)
class Making:
    """The making of a completion: its inputs and options.

    Attributes:
        image: The picture's file as it was named; `-` for one that came through stdin or memory.
        masking: The options that selected the hole.
        hole: The hole.
        sampling: The options of samples.
        model: The name of what completes it.
        word: The word that loads that again.
        sha256: The hash of its file, in hex; None without one.
        device: Where it runs.
    """

    image: str
    masking: MaskOptions
    hole: Hole
    sampling: SamplingOptions
    model: str
    word: str
    sha256: str | None
    device: str

    @property
    def is_from_file(self) -> bool:
        """The picture came from a file that has a name."""
        return self.image != str(STDIN)

    @property
    def files(self) -> list[Path]:
        """Its inputs that may be files."""
        mask = self.masking.file
        return [Path(self.image), Path(self.word), *([] if mask is None else [mask])]

    def text(self, masked: MaskedPicture) -> dict[str, str]:
        """The entries of a result's PNG; they depend on nothing but what its pixels depend on."""
        masking, sampling = self.masking, self.sampling
        options = {
            "mask": masking.word if masking.mask is None or masking.word else str(STDIN),
            "box": [
                box if isinstance(box, str) else ",".join(map(str, box)) for box in masking.boxes
            ],
            "invert_mask": masking.invert,
            "grow": masking.grow,
            "mask_threshold": masking.threshold,
            "fit_mask": masking.fit,
            "model": self.word,
            "seed": sampling.seed,
            "sampler": sampling.sampler,
            "rounds": sampling.rounds,
            "noise": sampling.noise,
            "device": self.device,
        }
        given = {_key(name): value for name, value in options.items() if value or name == "seed"}
        text = {
            "npfill_version": __version__,
            "npfill_model": self.model,
            "npfill_seed": str(sampling.seed),
            "npfill_sampler": sampling.sampler,
            "npfill_image_sha256": masked.sha256(opaque=masking.is_alpha),
            "npfill_mask_sha256": sha256_of(self.hole),
            # In ASCII, so that any path can be said.
            "npfill_options": json.dumps({"image": self.image} | given),
        }
        if self.sha256 is not None:
            text["npfill_model_sha256"] = self.sha256
        return text


@dataclass(frozen=True)
class Origin:
    """The origin of a result, by what it says of itself.

    Attributes:
        text: The entries of its PNG.
        image: The picture that it completes.
        options: Parameters of the completion by name, those at their defaults left out.
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
            said = json.loads(text["npfill_options"])
            image = Path(said.pop("image"))
            names = {_key(name): name for name in _TYPES}
            options = {names[key]: value for key, value in said.items()}
            if not all(isinstance(value, _TYPES[name]) for name, value in options.items()):
                raise TypeError  # noqa: TRY301
        except (KeyError, ValueError, TypeError, AttributeError):
            raise InputError(
                f"{path}: says too little of how it was made", "another version of npfill wrote it"
            ) from None
        return cls(text, image, options)

    @property
    def masking(self) -> MaskOptions:
        """The options that selected the hole."""
        given = self.options.get
        return MaskOptions(
            given("mask"),
            given("box", []),
            given("invert_mask", False),
            given("grow", 0),
            given("mask_threshold"),
            given("fit_mask", False),
        )

    @property
    def sampling(self) -> SamplingOptions:
        """The options of samples, as many as the result needs."""
        given = self.options.get
        return SamplingOptions(
            self.samples,
            given("seed", 0),
            given("sampler", "auto"),
            given("rounds"),
            given("noise", False),
        )

    @property
    def output(self) -> str:
        """The result's name: `mean`, `std`, `sample-1` ..."""
        return self.text["npfill_output"]

    @property
    def samples(self) -> int:
        """The number of samples that the result needs."""
        number = self.output.removeprefix("sample-")
        if self.output == "sheet":
            number = self.text["npfill_samples"]
        return int(number) if number.isdecimal() else 0


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
