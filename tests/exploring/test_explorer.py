"""Ask and tell: what is asked for, what is told, and what is kept."""

import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npfill
from npfill import zoo
from npfill.errors import InputError, ModelError, UsageError
from npfill.exploring import RULES, Explorer, in_tours, plan
from npfill.models import NeuralProcess
from npfill.models.lawful import network_alone
from tests.conftest import of, tiny


@pytest.fixture(scope="module")
def model() -> NeuralProcess:
    return of("convcnp", channels=1)


def scene(height: int = 12, width: int = 16) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return 40 * np.sin(rows / 3) + 7.0 * columns


def measured(explorer: Explorer, truth: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Asks for a round and tells its values."""
    rows, columns = explorer.ask(count)
    explorer.tell(rows, columns, truth[rows, columns])
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_measures_every_pixel_once_and_then_no_more(
    model: NeuralProcess, rule: str
) -> None:
    explorer, truth, seen = Explorer((6, 7), model, rule=rule), scene(6, 7), []
    while explorer.left:
        seen += measured(explorer, truth, 5)
    assert len(seen) == len(set(seen)) == 42
    assert (explorer.values[..., 0] == truth).all()
    assert [len(each) for each in explorer.ask(5)] == [0, 0]


def test_an_empty_grid_begins_evenly_spread(model: NeuralProcess) -> None:
    rows, columns = Explorer((64, 64), model).ask(16)
    quarters = {(row // 32, column // 32) for row, column in zip(rows, columns, strict=True)}
    assert len(quarters) == 4


@pytest.mark.slow
def test_equal_seeds_ask_for_equal_pixels(model: NeuralProcess) -> None:
    asked = []
    for seed in (1, 1, 2):
        explorer = Explorer((12, 16), model, seed=seed)
        asked.append([measured(explorer, scene(), 6) for _ in range(3)])
    assert asked[0] == asked[1] != asked[2]


def test_what_was_asked_for_is_not_asked_for_again_before_it_is_told(model: NeuralProcess) -> None:
    explorer = Explorer((12, 16), model)
    measured(explorer, scene(), 8)
    rounds = [set(zip(*map(list, explorer.ask(10)), strict=True)) for _ in range(3)]
    assert len(set.union(*rounds)) == 30


@pytest.mark.slow
def test_where_something_happens_more_is_measured(model: NeuralProcess) -> None:
    truth = np.zeros((32, 32))
    truth[:, 16:] = np.random.default_rng(0).random((32, 16))
    explorer = Explorer(truth.shape, "auto")
    for _ in range(10):
        measured(explorer, truth, 20)
    assert explorer.measured[:, 16:].sum() > 1.5 * explorer.measured[:, :16].sum()


def test_only_what_is_allowed_is_measured(model: NeuralProcess) -> None:
    within = np.zeros((12, 16), dtype=bool)
    within[2:5, 3:9] = True
    explorer = Explorer(within.shape, model, within=within)
    while explorer.left:
        measured(explorer, scene(), 4)
    assert (explorer.measured == within).all()


def test_what_is_allowed_may_be_a_list_of_the_size_of_the_grid(model: NeuralProcess) -> None:
    explorer = Explorer((2, 3), model, within=[[True, False, False], [False, False, True]])
    assert explorer.left == 2
    for within in ([[True] * 3], [[True], [True] * 3], "mask.png"):
        with pytest.raises(UsageError, match="`within` is"):
            Explorer((2, 3), model, within=within)


def test_values_beyond_those_so_far_are_taken_as_they_are(model: NeuralProcess) -> None:
    explorer = Explorer((12, 16), model)
    measured(explorer, scene(), 20)
    explorer.tell([0, 1], [0, 1], [1e9, -1e9])
    assert explorer.values[0, 0, 0] == 1e9
    rows, _ = explorer.ask(5)
    explorer.refresh()
    assert len(rows) == 5
    assert np.isfinite(explorer.std).all()


@pytest.mark.parametrize("unit", [1e-170, 1e-46, 1e44, 1e170])
def test_the_pixels_that_are_asked_for_do_not_depend_on_the_unit(
    model: NeuralProcess, unit: float
) -> None:
    rows, columns = np.nonzero(np.random.default_rng(0).random((16, 16)) < 0.3)
    asked, stds = list[list[list[int]]](), list[np.ndarray]()
    for scale in (1.0, unit):
        explorer = Explorer((16, 16), model)
        explorer.tell(rows, columns, scale * (2 + np.random.default_rng(1).random(len(rows))))
        asked.append([each.tolist() for each in explorer.ask(20)])
        stds.append(explorer.std / scale)
    assert asked[0] == asked[1]
    np.testing.assert_allclose(stds[1], stds[0], rtol=1e-3)


def test_of_a_wild_value_nothing_is_predicted(model: NeuralProcess) -> None:
    rows, columns = np.nonzero(np.random.default_rng(0).random((24, 24)) < 0.5)
    values = scene(24, 24)[rows, columns]
    values[100] = 1e6
    with_it, without = Explorer((24, 24), model), Explorer((24, 24), model)
    with_it.tell(rows, columns, values)
    without.tell(*(np.delete(each, 100) for each in (rows, columns, values)))
    for explorer in (with_it, without):
        explorer.refresh()
    np.testing.assert_array_equal(with_it.mean[~with_it.measured], without.mean[~with_it.measured])
    np.testing.assert_array_equal(with_it.std[~with_it.measured], without.std[~with_it.measured])
    assert with_it.mean[rows[100], columns[100]] == 1e6
    assert any("1 px are wild" in note for note in with_it.notes)
    assert without.notes == ()


@pytest.mark.parametrize(("beside", "is_wild"), [(9e5, False), (0.0, True)])
def test_a_wild_value_that_stands_alone_is_looked_into(
    model: NeuralProcess, beside: float, is_wild: bool
) -> None:
    explorer, truth = Explorer((32, 32), model), scene(32, 32)
    truth[8:11, 8:11] = beside
    truth[9, 9] = 1e6
    rows, columns = (each.ravel() for each in np.mgrid[1:32:4, 1:32:4])
    explorer.tell(rows, columns, truth[rows, columns])
    assert set(measured(explorer, truth, 4)) == {(8, 9), (10, 9), (9, 8), (9, 10)}
    assert not {(8, 8), (8, 10), (10, 8), (10, 10)} & set(measured(explorer, truth, 4))
    assert any("wild" in note for note in explorer.notes) == is_wild


def test_the_mean_is_that_of_a_completion_of_data_and_of_intensities(model: NeuralProcess) -> None:
    rows, columns = np.nonzero(np.random.default_rng(0).random((16, 16)) < 0.4)
    for truth in (scene(16, 16), 1.0 * (scene(16, 16) > 50)):
        explorer = Explorer(truth.shape, model)
        explorer.tell(rows, columns, truth[rows, columns])
        explorer.refresh()
        done = explorer.completion(samples=0).mean
        np.testing.assert_allclose(explorer.mean[..., 0], done, rtol=1e-4, atol=1e-4)


def test_answers_without_a_value_are_left_out_and_told(model: NeuralProcess) -> None:
    explorer = Explorer((12, 16), model)
    rows, columns = explorer.ask(3)
    explorer.tell(rows, columns, [np.nan, np.inf, 2.0])
    assert explorer.notes == ("2 answers were no numbers: their pixels are left out",)
    assert explorer.left == 12 * 16 - 3
    explorer.tell(rows[:1], columns[:1], [5.0])  # later, it has one
    assert explorer.values[rows[0], columns[0], 0] == 5.0
    assert explorer.notes == ("1 answers were no numbers: their pixels are left out",)


def test_an_answer_without_a_value_takes_none_away(model: NeuralProcess) -> None:
    explorer = Explorer((12, 16), model)
    explorer.tell(3, 4, 5.0)
    explorer.tell(3, 4, np.nan)
    assert explorer.values[3, 4, 0] == 5.0
    assert explorer.notes == ()


def test_what_was_measured_since_brings_the_std_around_it_down(model: NeuralProcess) -> None:
    explorer = Explorer((32, 32), model)
    rows, columns = np.nonzero(np.random.default_rng(0).random((32, 32)) < 0.05)
    explorer.tell(rows, columns, scene(32, 32)[rows, columns])
    explorer.refresh()
    before = explorer.std
    row, column = np.argwhere(before == before.max())[0]
    explorer.tell(row, column, 0.0)
    after = explorer.std
    assert (after <= before).all()
    assert after[row, column] == 0
    window = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
    assert 0 < after[window].sum() < 0.8 * (before[window].sum() - before[row, column])
    assert (after == before).sum() > before.size / 2


def test_a_hundred_answers_without_a_value_are_a_dead_detector(model: NeuralProcess) -> None:
    explorer = Explorer((12, 16), model)
    for _ in range(5):
        rows, columns = explorer.ask(20)
        explorer.tell(rows, columns, np.full(20, np.nan))
    assert explorer.is_dead
    assert "dead" in explorer.notes[-1]
    assert explorer.copy().notes == explorer.notes
    explorer.tell(0, 0, 1.0)
    assert not explorer.is_dead


@pytest.mark.slow
def test_ten_thousand_tells_leave_the_memory_as_it_was(model: NeuralProcess) -> None:
    explorer, random = Explorer((100, 120), model), np.random.default_rng(0)
    order = random.permutation(12000)

    def tell(numbers: np.ndarray) -> None:
        for number in numbers.tolist():
            explorer.tell(number // 120, number % 120, random.random())

    tell(order[:1000])
    tracemalloc.start()
    tell(order[1000:2000])
    before = tracemalloc.get_traced_memory()[0]
    tell(order[2000:11000])
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert explorer.measured.sum() == 11000
    assert grown < 20_000


def test_threads_measure_a_grid_together(model: NeuralProcess) -> None:
    explorer, truth, seen = Explorer((12, 16), model, rule="random"), scene(), list[object]()

    def work() -> None:
        while found := measured(explorer, truth, 3):
            seen.extend(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(set(seen)) == truth.size
    assert (explorer.values[..., 0] == truth).all()


def test_a_saved_explorer_goes_on_as_it_would_have(model: NeuralProcess, tmp_path: Path) -> None:
    whole, truth = Explorer((12, 16), model, seed=3), scene()
    measured(whole, truth, 20)
    whole.tell(11, 15, np.nan)
    whole.save(tmp_path / "state.npz")
    again = Explorer.load(tmp_path / "state.npz", model)
    assert np.array_equal(again.values, whole.values, equal_nan=True)
    assert (again.failed == whole.failed).all()
    assert measured(again, truth, 7) == measured(whole, truth, 7)


@pytest.mark.parametrize("rule", RULES)
def test_a_saved_explorer_keeps_its_rule_and_where_it_may_measure(
    model: NeuralProcess, rule: str, tmp_path: Path
) -> None:
    within = np.zeros((12, 16), dtype=bool)
    within[2:9, 3:11] = True
    whole = Explorer(within.shape, model, within=within, seed=3, rule=rule)
    measured(whole, scene(), 10)
    whole.save(tmp_path / "state.npz")
    again = Explorer.load(tmp_path / "state.npz", model)
    assert again.left == whole.left == within.sum() - 10
    assert measured(again, scene(), 7) == measured(whole, scene(), 7)


def test_a_network_of_ones_own_is_given_again(model: NeuralProcess, tmp_path: Path) -> None:
    path, seed = tmp_path / "state.npz", np.array([3])
    Explorer((4, 4), model, seed=seed[0]).save(path)
    with pytest.raises(
        ModelError, match=r"state\.npz: its model is a network of your own"
    ) as error:
        Explorer.load(path)
    assert "model=" in error.value.hint
    assert Explorer.load(path, model).seed == 3


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Explorer.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    (tmp_path / "text.npz").write_text("no")
    none, deep = np.zeros((2, 2), bool), np.frombuffer(b"[" * 10**5, np.uint8)
    np.savez(tmp_path / "deep.npz", values=none[..., None], failed=none, within=none, about=deep)
    for name in ("other.npz", "text.npz", "deep.npz"):
        with pytest.raises(InputError, match="not what an explorer has saved"):
            Explorer.load(tmp_path / name)


def test_a_state_of_more_pixels_than_are_read_is_refused_before_it_is_unpacked(
    model: NeuralProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Explorer((4, 4), model).save(tmp_path / "state.npz")
    monkeypatch.setattr("npfill.exploring.state.MAX_PIXELS", 15)
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(InputError, match="not what an explorer has saved"):
        Explorer.load(tmp_path / "state.npz")


def test_a_completion_has_the_measured_values_as_they_are(model: NeuralProcess) -> None:
    explorer, truth = Explorer((12, 16), model), scene()
    measured(explorer, truth, 30)
    done = explorer.completion(samples=1)
    assert (done.mean[explorer.measured] == truth[explorer.measured]).all()
    assert (done.hole == ~explorer.measured).all()


@pytest.mark.slow
def test_what_a_model_chose_is_completed_by_its_network_alone() -> None:
    axis, random = np.arange(48), np.random.default_rng(0)
    kernel = np.exp(-np.square(axis[:, None] - axis) / 18)
    truth, known = kernel @ random.normal(size=(48, 48)) @ kernel, random.random((48, 48)) < 0.3
    done = {}
    for rule in ("next", "random"):
        explorer = Explorer(truth.shape, rule=rule)
        rows, columns = np.nonzero(known)
        explorer.tell(rows, columns, truth[known])
        done[rule] = explorer.completion(samples=0, check=False).mean
    values = np.where(known, truth, np.nan)
    plain = npfill.complete(values, samples=0, check=False).mean
    with network_alone():
        alone = npfill.complete(values, samples=0, check=False).mean
    np.testing.assert_allclose(done["next"], alone, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(done["random"], plain, rtol=1e-4, atol=1e-4)
    assert np.abs(plain - alone).max() > 0.05


def test_nothing_or_everything_is_no_completion(model: NeuralProcess) -> None:
    explorer = Explorer((4, 4), model)
    with pytest.raises(InputError, match="nothing is measured"):
        explorer.completion()
    explorer.tell(*np.divmod(np.arange(16), 4), np.arange(16))
    with pytest.raises(InputError, match="everything is measured"):
        explorer.completion()


def test_three_channels_are_told_together() -> None:
    explorer = Explorer((8, 8, 3), of("convcnp", channels=3))
    rows, columns = explorer.ask(12)
    explorer.tell(rows, columns, np.random.default_rng(0).random((12, 3)))
    assert len(explorer.ask(4)[0]) == 4
    assert explorer.completion(samples=0).mean.shape == (8, 8, 3)


@pytest.mark.parametrize("values", [np.ones((3, 4)), np.ones(12), np.ones((1, 12))])
def test_values_of_three_channels_are_told_pixel_by_pixel(values: np.ndarray) -> None:
    explorer = Explorer((8, 8, 3), of("convcnp", channels=3))
    with pytest.raises(InputError, match="do not go together"):
        explorer.tell([0, 1, 2, 3], [0, 1, 2, 3], values)
    explorer.tell(5, 6, [1.0, 2.0, 3.0])
    explorer.tell([], [], [])
    assert explorer.values[5, 6].tolist() == [1.0, 2.0, 3.0]
    assert explorer.measured.sum() == 1


def test_what_does_not_go_together_is_refused(model: NeuralProcess) -> None:
    explorer = Explorer((4, 5), model)
    for wrong in (([0, 1], [0], [1, 2]), ([0], [0], [1, 2]), ([0.5], [0], [1]), ("a", 0, 1)):
        with pytest.raises(InputError, match="do not go together"):
            explorer.tell(*wrong)
    with pytest.raises(InputError, match="row 4, column 0: outside"):
        explorer.tell(4, 0, 1)
    wrongs: list[Any] = [0, "x", 2.5, None]
    for count in wrongs:
        with pytest.raises(UsageError, match="`count="):
            explorer.ask(count)
    shapes: list[Any] = [(3,), (3, 4, 2), (0, 3), 3, "3x4", (None, 4), (3.5, 4)]
    for shape in shapes:
        with pytest.raises(UsageError, match="no grid"):
            Explorer(shape, model)
    array: Any = np.zeros((26, 32))
    with pytest.raises(UsageError, match="an array of values") as refusal:
        Explorer(array, model)
    assert "array.shape" in refusal.value.hint
    seeds: list[Any] = ["x", -1, None]
    for seed in seeds:
        with pytest.raises(UsageError, match="`seed="):
            Explorer((3, 3), model, seed=seed)
    with pytest.raises(UsageError, match="unknown"):
        Explorer((3, 3), model, rule="guess")


def test_a_model_without_a_standard_deviation_cannot_choose() -> None:
    explorer = Explorer((12, 16), "nearest")
    measured(explorer, scene(), 20)
    with pytest.raises(ModelError, match="no standard deviation"):
        explorer.ask(1)


def test_the_first_decision_on_a_large_grid_knows_all_of_it(model: NeuralProcess) -> None:
    asked, truth = list[list[tuple[int, int]]](), scene(200, 20)
    for refreshed in (False, True):
        explorer = Explorer(truth.shape, model)
        rows, columns = np.nonzero(np.random.default_rng(0).random(truth.shape) < 0.1)
        explorer.tell(rows, columns, truth[rows, columns])
        if refreshed:
            explorer.refresh()
        asked.append(measured(explorer, truth, 20))
        assert np.isfinite(explorer.std).all()
    assert asked[0] == asked[1]


@pytest.mark.slow
def test_a_large_grid_is_predicted_part_by_part(model: NeuralProcess) -> None:
    explorer, truth = Explorer((200, 390), model), scene(200, 390)
    measured(explorer, truth, 1300)
    for _ in range(15):
        assert len(measured(explorer, truth, 5)) == 5
    assert np.isfinite(explorer.std).all()  # every part has had its turn


def test_rounds_are_planned_without_measuring(model: NeuralProcess) -> None:
    explorer = Explorer((12, 16), tiny("convcnp", channels=1).float())
    measured(explorer, scene(), 20)
    planned = plan(explorer, 4, budget=10)
    assert planned.rounds.tolist() == [1] * 4 + [2] * 4 + [3] * 2
    assert len(set(zip(planned.rows, planned.columns, strict=True))) == 10
    assert planned.before is not None
    assert planned.after is not None
    assert planned.after < planned.before
    assert explorer.left == 12 * 16 - 20


def test_a_plan_expects_the_same_of_numbers_at_the_limit_of_floats(model: NeuralProcess) -> None:
    plans = []
    for unit in (1, 2.0**1016):
        explorer = Explorer((12, 16), model)
        measured(explorer, unit * scene(), 20)
        plans.append(plan(explorer, 4))
    for one, same in zip(*((each.before, each.after) for each in plans), strict=True):
        assert one is not None
        assert same == pytest.approx(one * 2.0**1016)
        assert np.isfinite(same)


def test_a_plan_leaves_out_what_was_asked_for(model: NeuralProcess) -> None:
    explorer = Explorer((6, 7), model)
    measured(explorer, scene(6, 7), 10)
    asked = set(zip(*map(list, explorer.ask(12)), strict=True))
    planned = plan(explorer, 10, budget=42)
    assert not asked & {*zip(planned.rows, planned.columns, strict=True)}
    assert len(planned.rows) == 42 - 10 - 12


def test_parts_of_a_large_grid_fit_each_other(model: NeuralProcess) -> None:
    explorer, truth = Explorer((200, 20), model), scene(200, 20)
    rows, columns = np.nonzero(np.random.default_rng(0).random(truth.shape) < 0.1)
    explorer.tell(rows, columns, truth[rows, columns])
    explorer.refresh()
    done = explorer.completion(samples=0).mean
    assert np.abs(explorer.mean[..., 0] - done).max() < 0.005 * np.ptp(truth)


def test_a_plan_of_an_empty_grid_is_evenly_spread_and_expects_nothing(
    model: NeuralProcess,
) -> None:
    planned = plan(Explorer((12, 16), model), 4, budget=8)
    assert len(set(zip(planned.rows, planned.columns, strict=True))) == 8
    assert (planned.before, planned.after) == (None, None)


def test_tours_visit_the_same_points_on_a_shorter_way(model: NeuralProcess) -> None:
    planned = plan(Explorer((40, 40), model), 30)
    way = np.hypot(np.diff(planned.rows), np.diff(planned.columns)).sum()
    ordered, (length,) = in_tours(planned)
    points = [set(zip(each.rows, each.columns, strict=True)) for each in (planned, ordered)]
    assert points[0] == points[1]
    assert length == pytest.approx(np.hypot(np.diff(ordered.rows), np.diff(ordered.columns)).sum())
    assert length < way / 2


@pytest.mark.slow
def test_auto_is_the_model_for_data_and_of_colours_that_for_photographs() -> None:
    assert Explorer((12, 16)).model.name == zoo.for_data() != zoo.DEFAULT
    assert Explorer((12, 16, 3)).model.name == zoo.DEFAULT


def test_the_package_has_the_explorer() -> None:
    assert npfill.Explorer is Explorer


def test_a_value_that_is_masked_was_not_measured() -> None:
    explorer = Explorer((8, 8), of("convcnp", channels=1))
    explorer.tell([1, 2], [2, 3], np.ma.masked_array([5.0, 6.0], [True, False]))
    assert explorer.measured.sum() == 1
