"""Put the two face sets together for the face recipes: `train.zip` and `test.zip` in one folder.

The training part is that of both sets, in name order, and at its end the test part of the second,
1,747 faces of people who are in no other part: with `data.validation = 1747` these are held out.
The test part is that of the first set.

    python train/faces.py celeba64 celeba_crops64 data/celeba [--quality 75]

With `--quality` the faces are encoded again, which makes the folder smaller.
"""

import argparse
import io
import zipfile
from pathlib import Path

from PIL import Image


def main() -> None:
    """Write both archives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("aligned", type=Path, help="celeba64, with train.zip and test.zip")
    parser.add_argument("crops", type=Path, help="celeba_crops64, with train.zip and test.zip")
    parser.add_argument("output", type=Path)
    parser.add_argument("--quality", type=int, help="JPEG quality to encode again at")
    options = parser.parse_args()
    if options.output.resolve() in {options.aligned.resolve(), options.crops.resolve()}:
        parser.error(f"{options.output}: is a source, whose archives would be lost")
    options.output.mkdir(parents=True, exist_ok=True)
    parts = {
        "train.zip": ["aligned/train.zip", "crops/train.zip", "crops/test.zip"],
        "test.zip": ["aligned/test.zip"],
    }
    for name, sources in parts.items():
        with zipfile.ZipFile(options.output / name, "w") as archive:
            for number, source in enumerate(sources):
                folder, _, file = source.partition("/")
                with zipfile.ZipFile(getattr(options, folder) / file) as origin:
                    for member in sorted(origin.namelist()):
                        content = _encoded(origin.read(member), options.quality)
                        archive.writestr(f"{number}-{member}", content)


def _encoded(content: bytes, quality: int | None) -> bytes:
    if quality is None:
        return content
    buffer = io.BytesIO()
    Image.open(io.BytesIO(content)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
