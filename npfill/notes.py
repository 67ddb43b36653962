"""Notes for the user, those that warn and those that merely tell; names in commands and tables."""

import shlex

_MARKUP = str.maketrans({"|": r"\|", "[": r"\[", "\\": r"\\", "<": "&lt;", "&": "&amp;"})


class News(str):
    """A note that merely tells what was done, or chosen: nothing that could spoil a result."""

    __slots__ = ()


def about(name: str, note: str) -> str:
    """A note with the name of what it is about, which merely tells if the note does."""
    said = f"{name}: {note}"
    return News(said) if isinstance(note, News) else said


def as_word(name: str) -> str:
    """A file's name as one word of a command that is shown, which is no option; `-` as it is."""
    return shlex.quote(f"./{name}" if name.startswith("-") and name != "-" else name)


def as_cell(text: str) -> str:
    """A text as Markdown has it in a cell of a table, or in a line; none of it is markup."""
    line = " ".join(text.split()).translate(_MARKUP)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
