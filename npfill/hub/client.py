"""The library huggingface_hub and the settings that it reads from the environment."""

import os
import re
from typing import Any

from npfill.errors import ModelError

_SECRET = re.compile(r"//[^/\s]*@")


def library() -> Any:
    """The library huggingface_hub, with no word to anyone about who uses it.

    Raises:
        ModelError: A setting of its own in the environment is not one.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub.errors  # noqa: PLC0415 - bundled weights need none of it

        huggingface_hub.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ModelError(
            f"a variable HF_... is wrong ({shown(str(error))})", "correct or unset it"
        ) from None
    return huggingface_hub


def offline() -> bool:
    """True where the user wants no connections."""
    return bool(library().constants.HF_HUB_OFFLINE)


def shown(text: str) -> str:
    """A text without the names and passwords in its addresses."""
    return _SECRET.sub("//", text)
