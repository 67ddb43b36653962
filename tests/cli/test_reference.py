"""The command reference says what --help says, and shells complete names."""

import html
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from npfill.cli import app, main
from npfill.zoo import entries
from tests.cli.conftest import Command
from tests.test_package import ROOT, RUN_COMMAND, heavy_modules_after

REFERENCE = (ROOT / "docs" / "commands.md").read_text("utf-8")
MEND = "python -m typer npfill.cli utils docs --name npfill --output docs/commands.md"
COMPLETING = {
    "_NPFILL_COMPLETE": "complete_bash",
    "COMP_WORDS": "npfill complete -m ",
    "COMP_CWORD": "3",
}


def sections() -> dict[str, str]:
    """The reference of each command, by the words that call it."""
    parts = (
        REFERENCE.replace("\n### ", "\n## ").replace("# `npfill`", "## `npfill`", 1).split("## `")
    )
    return {name: text for name, _, text in (part.partition("`\n") for part in parts[1:])}


def commands(command: object, name: str = "npfill") -> dict[str, object]:
    """All commands that can be called, by the words that call them."""
    below = getattr(command, "commands", {})
    return {name: command} | {
        words: each
        for own, one in below.items()
        for words, each in commands(one, f"{name} {own}").items()
    }


def test_the_reference_has_every_command_and_no_other() -> None:
    assert sections().keys() == commands(get_command(app)).keys(), MEND


def test_groups_of_commands_are_listed_with_all_that_they_say() -> None:
    listed = html.unescape(REFERENCE)
    for name in ("models", "figure"):
        about = commands(get_command(app))[f"npfill {name}"].help  # type: ignore[attr-defined]
        assert f"* `{name}`: {about}\n" in listed, MEND


def test_the_reference_has_every_option_with_its_help_and_no_other() -> None:
    for name, command in commands(get_command(app)).items():
        section = html.unescape(sections()[name])
        options = [each for each in command.params if each.param_type_name == "option"]  # type: ignore[attr-defined]
        for option in options:
            lines = [line for line in section.splitlines() if line.startswith("* `-")]
            line = next(line for line in lines if f"{option.opts[0]}" in line)
            assert (option.help or "") in line, MEND
        written = section.count("\n* `-")
        assert written == len(options) + (not any("--help" in o.opts for o in options)), MEND


@pytest.mark.slow
def test_the_reference_and_the_help_have_every_argument_with_its_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, command in commands(get_command(app)).items():
        arguments = [each for each in command.params if each.param_type_name == "argument"]  # type: ignore[attr-defined]
        if not arguments:
            continue
        with pytest.raises(SystemExit):
            main([*name.split()[1:], "--help"])
        shown = words_of(capsys.readouterr().out)
        for argument in arguments:
            assert words_of(argument.help or "") in shown, f"{name}: {argument.name}"
            assert words_of(argument.help or "") in words_of(html.unescape(sections()[name])), MEND


def words_of(text: str) -> str:
    """A text on one line, without the frames that help is printed in."""
    return " ".join(re.sub(r"[│╭╮╰╯─`\\]", " ", text).split())


@pytest.mark.slow
def test_shells_complete_names_of_models_without_loading_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "npfill"], env=os.environ | COMPLETING | {"PYTHONPATH": str(ROOT)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert set(done.stdout.split()) == {"auto", *entries()}
    code = f"import os; os.environ.update({COMPLETING})" + RUN_COMMAND.format(arguments=[])
    assert heavy_modules_after(code) == set()


README = re.findall(r"^npfill complete .*$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", README)
def test_commands_in_the_readme_can_be_run(
    npfill: Command, photo: Path, mask: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    shutil.copytree(ROOT / "examples", "examples")
    for folder, file in (("photos", photo), ("masks", mask)):
        Path(folder).mkdir()
        shutil.copy(file, Path(folder, "photo.png"))
    shutil.copy(photo, "photo.jpg")  # by its content, not its name
    shutil.copy(mask, "photo_mask.png")
    assert npfill(*shlex.split(line)[1:], "--dry-run").code == 0
