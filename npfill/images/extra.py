"""Packages that only some kinds of pictures need, imported when one is read or written."""

from importlib import import_module
from typing import Any

from npfill.errors import InputError


def imported(module: str, kind: str, extra: str) -> Any:
    """A module of a package that npfill does not require.

    Args:
        module: What is imported, such as `pillow_heif`.
        kind: What needs it, for the error's text: the file's name and what it is.
        extra: The extra of npfill that installs it.

    Raises:
        InputError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.replace("_", "-")
        raise InputError(
            f"{kind} needs {package}, which is not installed", f"pip install 'npfill[{extra}]'"
        ) from None
