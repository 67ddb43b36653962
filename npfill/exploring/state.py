"""The state of an explorer as a file."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from npfill.errors import InputError
from npfill.files import json_text, write_bytes
from npfill.package import __version__
from npfill.pictures.formats.arrays import checked, npz_bytes
from npfill.pictures.read import MAX_PIXELS, refusals

_VERSION = 1
_LONGEST = 2**20  # bytes of what is said beside the arrays


@dataclass(frozen=True)
class State:
    """All that an explorer was told, and how it began.

    Attributes:
        values: The values, NaN where there are none.
        failed: True where what was told is no number.
        within: True where pixels may be measured.
        model: The word that loads the model; "" of a network of the caller's own.
        seed: The seed.
        rule: The name of the rule.
        round: The number of decisions.
    """

    values: Float[np.ndarray, "height width channel"]
    failed: Bool[np.ndarray, "height width"]
    within: Bool[np.ndarray, "height width"]
    model: str
    seed: int
    rule: str
    round: int

    def write(self, path: Path) -> None:
        """Write an .npz file, which is never half there."""
        arrays = {name: getattr(self, name) for name in ("values", "failed", "within")}
        about = {name: each for name, each in vars(self).items() if name not in arrays}
        about |= {"npfill_explorer": _VERSION, "npfill_version": __version__}
        text = np.frombuffer(json_text(about).encode(), dtype=np.uint8)
        write_bytes(path, npz_bytes(arrays | {"about": text}))

    @classmethod
    def read(cls, path: Path) -> "State":
        """Read what `write` wrote.

        Raises:
            InputError: The file is missing, or another one, or unpacks to too many pixels.
        """
        if not path.is_file():
            raise InputError(f"{path}: no such file", "`Explorer.save` writes one")
        try:
            with refusals(str(path)), zipfile.ZipFile(path) as archive:
                names = "values", "failed", "within"
                files = (archive.open(f"{name}.npy") for name in names)
                values, failed, within = (checked(file, str(path), MAX_PIXELS) for file in files)
                with archive.open("about.npy") as file:  # a header of one line, and the bytes
                    about = json.loads(file.read(_LONGEST).partition(b"\n")[2])
            if about["npfill_explorer"] != _VERSION or values.ndim != 3:
                raise ValueError  # noqa: TRY301 - said below
            if not failed.shape == within.shape == values.shape[:2]:
                raise ValueError  # noqa: TRY301
            words = str(about["model"]), int(about["seed"]), str(about["rule"]), int(about["round"])
        except (InputError, ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}: not what an explorer has saved", "`Explorer.save` writes one"
            ) from None
        return cls(values.astype(float), failed.astype(bool), within.astype(bool), *words)
