"""Where the folders that ship with npfill are: in the wheel, or beside the package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """`pretrained` or `train`: inside an installed wheel, else at the top of the source tree."""
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
