"""The names of masks that tell whose mask a file is."""

import re
import unicodedata

# As photo_mask, photo-mask, photo_mask001 and mask_photo are the masks of photo.
_NAMED_MASK = re.compile(r"mask[_\-. ](.+)|(.+)[_\-. ]mask\d*", re.IGNORECASE)


def folded(name: str) -> str:
    """A name as it is compared: the same in upper and lower case, and in both Unicode forms."""
    return unicodedata.normalize("NFC", name).casefold()


def pictures_named(stem: str) -> list[str]:
    """The name of the picture, without suffix, that a mask's name tells, if any."""
    named = _NAMED_MASK.fullmatch(stem)
    return [name for name in (named.groups() if named else ()) if name]
