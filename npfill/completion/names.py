"""The names of results: a folder or a file, by a template, and the format that a name asks for."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from npfill.completion.inputs import InputFile
from npfill.errors import InputError, UsageError
from npfill.files import STDIO
from npfill.pictures.formats import FORMATS, picture_suffixes
from npfill.pictures.formats.raster import register_heic
from npfill.pictures.picture import Picture

_FIELD = re.compile(r"{(\w*)}")


def beginnings(files: Sequence[InputFile], *, beside: bool = False) -> tuple[list[Path], list[str]]:
    """The beginnings of results' paths: a picture's, with its suffix where two have one name.

    Args:
        files: The pictures.
        beside: Results lie beside them, and not as they do below one folder.

    Returns:
        The paths below the folder of results; and sentences for the user on those of one name.
    """
    sharing = defaultdict(list)
    for file in files:
        sharing[(file.path if beside else file.relative).with_suffix("")].append(file)
    alike = [same for same in sharing.values() if len(same) > 1]
    joined = [", ".join(str(file.path) for file in same) for same in alike]
    notes = [f"{names}: of one name, so their suffix is in those of results" for names in joined]
    whole = {file for same in alike for file in same}
    paths = ((file, file.relative) for file in files)
    return [path if file in whole else path.with_suffix("") for file, path in paths], notes


def apart(picture: object, taken: set[Path]) -> Path:
    """A beginning of paths of a picture in a file or memory that is not taken, and now is."""
    file = Path(picture if isinstance(picture, str | Path) else "completion")
    numbered = (Path(f"{file.stem}-{number}") for number in count(2))
    names = chain([Path(file.stem), Path(file.parent.name.strip("."), file.stem)], numbered)
    taken.add(found := next(name for name in names if name not in taken))
    return found


def check_file(file: Path, result: str, planned: Path, *, is_picture: bool) -> None:
    """Check that a result can be written to a file, or to stdout.

    Args:
        file: The file that is asked for.
        result: The result's name.
        planned: The name that the result has by itself.
        is_picture: It is a picture, and may be written in the format of another suffix.

    Raises:
        UsageError: The file's suffix is that of another format.
    """
    kinds = picture_suffixes() if is_picture else ()
    if file != STDIO and format_of(file) != format_of(planned) and file.suffix.lower() not in kinds:
        raise UsageError(
            f"{file}: {result} is written as {planned.suffix}",
            f"`output=NAME{planned.suffix}`, or `output={file}/` for a folder",
        )


def by_template(template: str, stem: str, result: str, suffix: str, *, is_picture: bool) -> str:
    """The name of a result.

    Args:
        template: The name with `{stem}`, `{result}` and `{suffix}` in it. Where it has no suffix,
            or one that the result cannot have, that of the result is set.
        stem: The name of the picture, without suffix.
        result: The result's own name, such as mean or sample-1.
        suffix: The suffix that the result has by its format.
        is_picture: It is a picture, and may be written in the format of another suffix.

    Raises:
        UsageError: The template has other fields, or names a folder.
    """
    fields = {"stem": stem, "result": result, "suffix": suffix}
    for field in _FIELD.findall(template):
        if field not in fields:
            raise UsageError(f"`name={template}`: {{{field}}} is unknown", _known(fields))
    if Path(template).name != template or not template:
        raise UsageError(
            f"`name={template}`: not the name of a file", "`output=DIR/` is its folder"
        )
    named = format_of(Path(template), of_picture=is_picture) is not None
    whole = template if not named or is_picture else Path(template).stem
    if "{suffix}" not in whole and not (named and is_picture):
        whole += "{suffix}"
    return _FIELD.sub(lambda match: fields[match[1]], whole)


def _known(fields: dict[str, str]) -> str:
    return f"any of {', '.join(f'{{{field}}}' for field in fields)}"


def format_of(path: Path, *, of_picture: bool = False) -> str | None:
    """The format that a file's suffix stands for, as a key of `FORMATS`; None for none.

    Args:
        path: The file.
        of_picture: Formats that are of data alone count for none.
    """
    suffix = path.suffix.lower()
    kinds = (each for each in FORMATS.values() if not (of_picture and each.is_data))
    return next((each.name for each in kinds if suffix in each.suffixes), None)


def written_as(picture: Picture, path: Path, *, keep: bool) -> str:
    """The format of a result that is a picture: what its name says, so that name and content agree.

    Where the name says nothing, it is PNG; or if `keep`, that of the picture. Data keep theirs.

    Raises:
        InputError: The format does not hold all of the picture, or needs a package that is not
            installed.
    """
    if picture.is_data:
        other = format_of(path) or picture.format
        if other != picture.format:
            label = FORMATS[picture.format].label
            hint = f"`output=NAME{FORMATS[picture.format].suffixes[0]}`"
            raise InputError(f"{path}: data are written as they came, as {label}", hint)
        return picture.format
    target = FORMATS[format_of(path, of_picture=True) or (picture.format if keep else "PNG")]
    lacks = ["alpha"] * (picture.has_alpha and not target.has_alpha)
    lacks += ["16 bits"] * (picture.white > target.white)
    lacks += ["grey with alpha"] * (target.name == "BMP" and picture.values.shape[-1] == 2)
    lacks += [f"side of more than {target.side:,} pixels"] * (max(picture.size) > target.side)
    if lacks:
        raise InputError(
            f"{path}: {target.label} files have no {' and no '.join(lacks)}, as {picture.name} has",
            "`output=NAME.png` keeps all",
        )
    if target.name == "HEIF":
        register_heic(str(path))
    return target.name
