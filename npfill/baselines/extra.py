"""Packages of the extra `npfill[baselines]`, imported when a baseline is used."""

from importlib import import_module
from typing import Any

from npfill.errors import ModelError


def imported(module: str, baseline: str, package: str) -> Any:
    """A module of a package that npfill does not require.

    Args:
        module: What is imported, such as `sklearn.neighbors`.
        baseline: The name of the baseline that needs it, for the error's text.
        package: What the package calls itself, such as `scikit-learn`.

    Raises:
        ModelError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ModelError(
            f"{baseline} needs {package}, which is not installed",
            "pip install 'npfill[baselines]'",
        ) from None
