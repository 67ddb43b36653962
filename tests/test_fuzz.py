"""The fuzzer itself: its cases come back, and what it is there to find is found and kept."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzzer
from tests.fuzz.beginnings import Files, beginnings


@pytest.fixture(scope="module")
def files() -> Files:
    return beginnings()


@pytest.mark.slow
def test_a_case_is_always_the_same_and_another_seed_has_others(files: Files) -> None:
    cases = [fuzzer.case_of(files, 3, number) for number in range(20)]
    assert cases == [fuzzer.case_of(files, 3, number) for number in range(20)]
    assert cases != [fuzzer.case_of(files, 4, number) for number in range(20)]


@pytest.mark.slow
def test_every_kind_of_file_is_damaged(files: Files) -> None:
    cases = [fuzzer.case_of(files, 0, number) for number in range(100)]
    damaged = [case for case in cases if case.kind != "command"]
    assert {case.kind for case in damaged} == {*files}
    assert len(cases) - len(damaged) > 3
    assert sum(case.content != files[case.kind][case.name] for case in damaged) > 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "problem"),
    [
        (lambda _: os.kill(os.getpid(), signal.SIGKILL), "crash"),
        (lambda _: sys.exit(1), "exit code 1"),
        (lambda _: sys.stderr.write("Traceback (most recent call last):"), "Traceback"),
    ],
)
def test_a_crash_a_bug_and_a_traceback_are_found_and_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: Files,
    ends: Callable[[object], object],
    problem: str,
) -> None:
    monkeypatch.setattr(fuzzer, "main", ends)
    monkeypatch.setattr(fuzzer, "beginnings", lambda: files)
    tally = fuzzer.fuzz(seed=0, seconds=0.5, folder=tmp_path)
    assert problem in tally.failures[0]
    case = fuzzer.case_of(files, 0, 0)
    assert (tmp_path / "0" / case.name).read_bytes() == case.content
    assert "npfill " in (tmp_path / "0" / "problem.txt").read_text("utf-8")


@pytest.mark.slow
def test_a_command_that_ends_well_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Files
) -> None:
    monkeypatch.setattr(fuzzer, "main", lambda _: sys.exit(3))
    monkeypatch.setattr(fuzzer, "beginnings", lambda: files)
    tally = fuzzer.fuzz(seed=0, seconds=0.5, folder=tmp_path)
    assert tally.failures == []
    assert sum(tally.ended.values()) > 0
