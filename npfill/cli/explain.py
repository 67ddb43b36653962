"""`npfill explain`: the command that made a result, and whether it still makes it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from npfill import __version__
from npfill.cli.console import Talk, print_data
from npfill.errors import CheckFailedError, NpfillError

if TYPE_CHECKING:
    from npfill.cli.origin import Origin


def explain_command(
    result: Annotated[Path, typer.Argument(help="A PNG that npfill complete wrote.")],
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run the command, too, and compare.")
    ] = False,
) -> None:
    """Print the command that made a result, and check that what it was made from is unchanged."""
    from npfill.cli.origin import Origin

    talk = Talk()
    origin = Origin.of(result)
    print_data(origin.command(result))
    made_by = origin.text.get("npfill_version", "unknown")
    if made_by != __version__:
        talk.warn(f"npfill {made_by} made it, and this is {__version__}: results may differ")
    checks = {"picture and mask": _picture_and_mask, "model": _model}
    wrong = [f"{name}: {why}" for name, check in checks.items() if (why := _why(check, origin))]
    if wrong:
        raise CheckFailedError(
            f"{result}: cannot be made again: {'; '.join(wrong)}",
            "names are looked up from this folder",
        )
    talk.say("picture, mask and model are here, unchanged")
    if rerun:
        _run_again(origin, result, talk)


def _why(check: "Callable[[Origin], str]", origin: "Origin") -> str:
    """What a check finds wrong, in words; nothing where all is well."""
    try:
        return check(origin)
    except NpfillError as error:
        return str(error)


def _picture_and_mask(origin: "Origin") -> str:
    from npfill.cli.masking import hole_of, sha256_of
    from npfill.pictures.masked import MaskedPicture
    from npfill.pictures.read import STDIN, read_picture

    if str(STDIN) in {str(origin.image), origin.masking.file}:
        return "came through stdin, which is not here"
    picture = read_picture(origin.image)
    hole = hole_of(origin.masking, picture)
    if sha256_of(hole) != origin.text.get("npfill_mask_sha256"):
        return f"{origin.masking.name} selects another hole"
    incomplete = MaskedPicture.of(picture, hole.by_choice)
    observed = incomplete.sha256(opaque=origin.masking.mask == "alpha")
    if observed != origin.text.get("npfill_image_sha256"):
        return f"{origin.image} has changed outside the hole"
    return ""


def _model(origin: "Origin") -> str:
    from npfill import baselines, zoo

    name = str(origin.options.get("--model"))
    if name in baselines.NAMES:
        file = baselines.FILES.get(name)
        sha256 = zoo.sha256_of(file) if file else None
    else:
        sha256 = zoo.find(name).sha256
    return "" if sha256 == origin.text.get("npfill_model_sha256") else f"{name} has other weights"


def _run_again(origin: "Origin", result: Path, talk: Talk) -> None:
    """Complete the picture once more and compare with the result.

    Raises:
        CheckFailedError: They are not the same.
    """
    from npfill.cli.completing import Job, Writing, choose, complete_one
    from npfill.cli.outputs import Plan
    from npfill.pictures.picture import difference
    from npfill.pictures.read import read_picture

    with TemporaryDirectory(prefix="npfill-") as folder:
        again = Path(folder) / "again.png"
        complete_one(
            Job(origin.image, origin.masking, Plan({origin.text["npfill_output"]: again})),
            origin.drawing,
            Writing(None, None, overwrite=False, skip_existing=False),
            lambda: choose(
                origin.options["--model"], origin.options["--device"], origin.drawing, talk
            ),
            Talk(quiet=True),
        )
        if again.read_bytes() == result.read_bytes():
            talk.say("run again: the same, byte for byte")
            return
        found = difference(read_picture(result), read_picture(again))
        if found.count:
            raise CheckFailedError(
                f"{result}: run again, {found.count:,} px differ, "
                f"by at most {found.largest:g} of {found.white}",
                "another version of torch or device rounds in another way; or it was edited",
            )
    talk.say("run again: the same pixels, in a file that differs")
