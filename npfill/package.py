"""The package npfill: its version, which stands in results, too, and its optional requirements."""

from importlib import import_module
from types import ModuleType

from npfill.errors import NpfillError

__version__ = "0.1.0"


def imported(
    module: str, user: str, extra: str, error: type[NpfillError], package: str | None = None
) -> ModuleType:
    """Import a module of a package that npfill does not require.

    Args:
        module: The module, such as `pillow_heif` or `sklearn.neighbors`.
        user: What needs it, for the error's text.
        extra: The extra of npfill that installs it.
        error: The kind of error to raise.
        package: What the package calls itself; by default the module's name.

    Raises:
        NpfillError: Of the kind given: the package is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = package or module.replace("_", "-")
        raise error(
            f"{user} needs {package}, which is not installed", f"pip install 'npfill[{extra}]'"
        ) from None
