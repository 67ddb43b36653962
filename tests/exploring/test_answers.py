"""The loop through files, with an instrument that measures what it is told."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from npfill.errors import CheckFailedError, InputError
from npfill.exploring import Explorer
from npfill.exploring.answers import Answers, converse, points_text
from tests.conftest import of
from tests.forked import Forked, forked, posix

Start = Callable[[Callable[[], object]], Forked]
SHAPE = (10, 12)
TRUTH = np.add.outer(np.arange(10.0) ** 2, np.arange(12.0))


def instrument(points: Path, answers: Path, dead: bool = False) -> None:
    """Measures each point that it finds, until it finds a file without points."""
    done = set()
    if answers.exists():
        done = {tuple(map(int, line.split(",")[:2])) for line in answers.read_text().splitlines()}
    while True:
        lines = points.read_text().splitlines()[1:] if points.exists() else None
        if lines == []:
            return
        for line in lines or []:
            place = tuple(map(int, line.split(",")))
            if place not in done:
                done.add(place)
                with answers.open("a") as file:
                    file.write(f"{line},{np.nan if dead else TRUTH[place]}\n")
        time.sleep(0.002)


def explorer() -> Explorer:
    return Explorer(SHAPE, of("convcnp", channels=1))


def talk(points: Path, answers: Path, budget: int | None = None) -> Explorer:
    mine = explorer()
    converse(mine, Answers(answers), points, 7, budget, pause=0.002)
    return mine


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes, none of which outlives the test."""
    started: list[Forked] = []

    def run(call: Callable[[], object]) -> Forked:
        started.append(forked(call))
        return started[-1]

    yield run
    for each in started:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(each.pid, signal.SIGKILL)
            os.waitpid(each.pid, 0)


@posix
@pytest.mark.slow
def test_an_instrument_measures_a_grid_to_its_end_through_files(
    tmp_path: Path, start: Start
) -> None:
    points, answers = tmp_path / "points.csv", tmp_path / "answers.csv"
    other = start(lambda: instrument(points, answers))
    mine = talk(points, answers)
    assert other.wait().code == 0
    assert (mine.values[..., 0] == TRUTH).all()
    assert points.read_text() == "row,column\n"
    assert len(answers.read_text().splitlines()) == TRUTH.size  # none twice


@posix
@pytest.mark.slow
def test_either_side_may_be_killed_and_goes_on(tmp_path: Path, start: Start) -> None:
    points, answers = tmp_path / "points.csv", tmp_path / "answers.csv"

    def until(count: int) -> None:
        deadline = time.monotonic() + 60
        while not answers.exists() or answers.read_bytes().count(b"\n") < count:
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def end(process: Forked) -> None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    other, mine = start(lambda: instrument(points, answers)), start(lambda: talk(points, answers))
    until(20)
    end(mine)
    mine = start(lambda: talk(points, answers))
    until(50)
    end(other)
    other = start(lambda: instrument(points, answers))
    assert mine.wait().code == other.wait().code == 0
    lines = answers.read_text().splitlines()
    assert len(lines) == len(set(lines)) == TRUTH.size


@posix
@pytest.mark.slow
def test_a_dead_detector_ends_the_loop_and_a_mended_one_goes_on(
    tmp_path: Path, start: Start
) -> None:
    points, answers = tmp_path / "points.csv", tmp_path / "answers.csv"
    other = start(lambda: instrument(points, answers, dead=True))
    with pytest.raises(CheckFailedError, match="no numbers"):
        talk(points, answers)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    other = start(lambda: instrument(points, answers))
    mine = talk(points, answers)
    assert other.wait().code == 0
    assert mine.failed.sum() >= 100
    assert (mine.measured ^ mine.failed).all()


def test_a_detector_that_was_dead_is_given_time_to_answer(tmp_path: Path) -> None:
    points, answers = tmp_path / "points.csv", tmp_path / "answers.csv"
    rows, columns = np.divmod(np.arange(119), 12)
    lost = "".join(f"{y},{x},nan\n" for y, x in zip(rows, columns, strict=True))
    answers.write_text(lost)
    looks: list[object] = []

    class Slow(Answers):
        def read(self, channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            looks.append(None)
            if len(looks) == 4:
                with answers.open("a") as file:
                    file.write("9,11,2.5\n")
            return super().read(channels)

    mine = explorer()
    converse(mine, Slow(answers), points, 7, pause=0.0)
    assert mine.measured.sum() == 1


@pytest.mark.slow
def test_the_loop_runs_in_python_too() -> None:
    mine = explorer()
    while mine.left:
        rows, columns = mine.ask(9)
        mine.tell(rows, columns, TRUTH[rows, columns])
    assert (mine.values[..., 0] == TRUTH).all()


def test_the_budget_counts_the_answers_that_are_there(tmp_path: Path) -> None:
    points, answers = tmp_path / "points.csv", tmp_path / "answers.csv"
    rows, columns = np.divmod(np.arange(10), 12)
    answers.write_text("row,column,value\n")
    with answers.open("a") as file:
        file.writelines(f"{y},{x},1.5\n" for y, x in zip(rows, columns, strict=True))
    mine = talk(points, answers, budget=10)
    assert mine.measured.sum() == 10
    assert points.read_text() == "row,column\n"


def test_a_line_is_read_once_it_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    answers = Answers(path)
    assert [len(each) for each in answers.read(1)] == [0, 0, 0]
    path.write_text("1,2,0.5\n3,4,0.")
    assert [each.tolist() for each in answers.read(1)] == [[1], [2], [[0.5]]]
    with path.open("a") as file:
        file.write("25\n")
    assert [each.tolist() for each in answers.read(1)] == [[3], [4], [[0.25]]]


@pytest.mark.parametrize("line", ["1,2", "a,2,3", "1,2,3,4", "1.5,2,3", f"{10**20},0,1"])
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(f"row,column,value\n{line}\n")
    with pytest.raises(InputError, match=r"answers\.csv, line 2"):
        Answers(path).read(1)


@pytest.mark.parametrize("head", ["", "row,column,value\n"])
def test_a_mark_of_the_encoding_is_no_part_of_the_answers(tmp_path: Path, head: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(f"{head}1,2,0.5\n", "utf-8-sig")
    assert [each.tolist() for each in Answers(path).read(1)] == [[1], [2], [[0.5]]]


def test_answers_that_were_taken_away_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("1,2,3\n")
    answers = Answers(path)
    answers.read(1)
    path.write_text("")
    with pytest.raises(InputError, match="shorter than it was"):
        answers.read(1)


@pytest.mark.parametrize("content", [b"my notes\n", b"\x89PNG\xff"])
def test_a_file_that_is_not_of_points_is_left_alone(tmp_path: Path, content: bytes) -> None:
    points = tmp_path / "points.csv"
    points.write_bytes(content)
    with pytest.raises(InputError, match="not a file of points"):
        talk(points, tmp_path / "answers.csv")
    assert points.read_bytes() == content


@pytest.mark.parametrize("point", ["10,3", "3,12", "-1,0", "3,-1"])
def test_points_of_another_grid_are_not_waited_for(tmp_path: Path, point: str) -> None:
    points, answers = tmp_path / "points.csv", tmp_path / "answers.csv"
    points.write_text(f"row,column\n0,0\n{point}\n")
    row, column = point.split(",")
    with pytest.raises(InputError, match=f"row {row}, column {column}: outside of 12x10 px"):
        talk(points, answers)
    assert points.read_text() == f"row,column\n0,0\n{point}\n"


def test_points_are_a_head_and_a_line_for_each() -> None:
    assert points_text(np.array([3, 4]), np.array([5, 0])) == "row,column\n3,5\n4,0\n"
