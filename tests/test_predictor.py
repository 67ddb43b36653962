"""Names, files, networks and baselines become predictors, and all predict alike."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import jaxtyping
import numpy as np
import pytest
import torch

import npfill
from npfill import baselines, checkpoint, devices, predictor, zoo
from npfill.baselines import Baseline, BaselinePrediction
from npfill.errors import InputError, ModelError, UsageError
from npfill.files import sha256_of
from npfill.predictor import BaselinePredictor, NeuralPredictor, Predictor
from npfill.predictor import neural as neural_predictor
from tests.conftest import MODELS, of

SIZE = (4, 5)
HOLE = np.zeros(SIZE, dtype=bool)
HOLE[1:3, 2:4] = True
PIXELS = int(HOLE.sum())


class Stated(Baseline):
    """Answers what it was told to, and remembers what it was shown."""

    name: ClassVar[str] = "stated"

    def __init__(self, filled: BaselinePrediction) -> None:
        self.filled = filled
        self.shown = np.zeros(0)

    def fill(self, picture: np.ndarray, hole: np.ndarray) -> BaselinePrediction:
        self.shown = picture
        return self.filled


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Each test loads for itself."""
    predictor.forget()
    yield
    predictor.forget()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A tiny grey model in a file."""
    path = tmp_path / "tiny.safetensors"
    checkpoint.save(path, of("np", 1), {"terms": "none at all"})
    return path


def neural(name: str | Path, device: str = "cpu") -> NeuralPredictor:
    loaded = predictor.load(name, device)
    assert isinstance(loaded, NeuralPredictor)
    return loaded


def colour() -> np.ndarray:
    return np.random.default_rng(0).random((*SIZE, 3)).astype(np.float32)


def joint(scale: float = 0.01) -> Stated:
    """Three channels of one joint distribution about the middle of [0, 1]."""
    factor = scale * (np.tril(np.ones((PIXELS, PIXELS))) + np.eye(PIXELS))
    std = np.sqrt(np.square(factor).sum(1))[:, None].repeat(3, 1)
    return Stated(BaselinePrediction(np.full((PIXELS, 3), 0.5), std, (factor,) * 3))


def test_mean_std_and_samples_stand_in_the_hole_and_the_picture_outside() -> None:
    completed = npfill.complete(colour(), HOLE, joint(), samples=2)
    assert completed.std is not None
    assert completed.mean[HOLE] == pytest.approx(0.5)
    assert completed.std[HOLE] == pytest.approx(joint().filled.std)
    assert not completed.std[~HOLE].any()
    for filled in (completed.mean, *completed.samples):
        assert np.array_equal(filled[~HOLE], colour()[~HOLE])


@pytest.mark.slow
def test_samples_have_the_joint_distributions_std_and_correlation() -> None:
    drawn = npfill.complete(colour(), HOLE, joint(), samples=1000).samples[:, HOLE]
    assert drawn.std(0) == pytest.approx(joint().filled.std, rel=0.1)
    neighbours = np.corrcoef(drawn[:, 2, 0], drawn[:, 3, 0])[0, 1]
    channels = np.corrcoef(drawn[:, 3, 0], drawn[:, 3, 1])[0, 1]
    assert neighbours > 0.5
    assert abs(channels) < 0.15


@pytest.mark.slow
def test_sample_k_depends_on_the_seed_and_k_alone() -> None:
    few, many = (npfill.complete(colour(), HOLE, joint(), count).samples for count in (2, 5))
    assert np.array_equal(many[:2], few)
    other = npfill.complete(colour(), HOLE, joint(), 2, seed=1).samples
    assert not np.array_equal(other, few)


def test_without_std_and_joint_distribution_there_is_none_of_either() -> None:
    completed = npfill.complete(
        colour(), HOLE, Stated(BaselinePrediction(np.full((PIXELS, 3), 0.5)))
    )
    assert completed.std is None
    assert completed.samples.shape == (0, *SIZE, 3)


def test_mean_and_samples_are_clipped_to_what_can_be_shown() -> None:
    wild = joint(scale=2.0)
    completed = npfill.complete(colour(), HOLE, wild, samples=3)
    assert completed.samples.min() >= 0
    assert completed.samples.max() <= 1
    low = Stated(BaselinePrediction(np.full((PIXELS, 3), -0.5)))
    assert not npfill.complete(colour(), HOLE, low).mean[HOLE].any()


def test_a_baseline_is_not_shown_what_is_under_the_hole() -> None:
    spoiled, stated = colour(), joint()
    spoiled[HOLE] = np.nan
    npfill.complete(spoiled, HOLE, stated)
    assert np.isfinite(stated.shown).all()


def test_notes_reach_the_completion() -> None:
    noted = Stated(BaselinePrediction(np.zeros((PIXELS, 3)), notes=("something to know",)))
    assert npfill.complete(colour(), HOLE, noted).notes == ("something to know",)


def test_a_completion_has_the_shape_of_its_tensor() -> None:
    tensor = torch.from_numpy(colour()).permute(2, 0, 1)
    completed = npfill.complete(tensor, torch.from_numpy(HOLE), joint(), samples=2)
    assert completed.std is not None
    assert completed.mean.shape == completed.std.shape == (3, *SIZE)
    assert completed.samples.shape == (2, 3, *SIZE)


def test_a_name_stands_for_the_baseline() -> None:
    picture = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    hole = np.zeros((28, 28), dtype=bool)
    hole[10:20, 10:20] = True
    named = npfill.complete(picture, hole, "linear")
    built = npfill.complete(picture, hole, baselines.build("linear"))
    assert named.std is not None
    assert np.array_equal(named.mean, built.mean)
    assert np.array_equal(named.samples, built.samples)


def test_a_picture_that_a_baseline_cannot_take_is_an_input_error() -> None:
    with pytest.raises(InputError, match="pictures of 28x28, this one is 5x4"):
        npfill.complete(colour(), HOLE, "linear")


def test_a_device_that_is_not_there_is_said_for_a_baseline_too() -> None:
    with pytest.raises(UsageError):
        npfill.complete(colour(), HOLE, joint(), device="tpu")


def test_no_baseline_has_the_name_of_a_model() -> None:
    assert not set(baselines.BASELINES) & set(zoo.entries())


def test_a_misspelt_baseline_is_suggested_and_an_unknown_name_lists_them() -> None:
    for name, expected in (("biharmonics", "did you mean biharmonic?"), ("qq", "navier-stokes")):
        with pytest.raises(ModelError, match="no model is called") as error:
            npfill.complete(colour(), HOLE, name)
        assert expected in error.value.hint


def test_a_baseline_has_no_weights_to_find() -> None:
    with pytest.raises(ModelError, match="telea is a baseline") as error:
        zoo.find("telea")
    assert "telea" in error.value.hint


def test_a_file_is_loaded_with_its_name_hash_and_terms(weights: Path) -> None:
    loaded = neural(weights)
    assert (loaded.name, loaded.word, loaded.path) == ("tiny", str(weights), weights)
    assert (loaded.sha256, loaded.terms) == (sha256_of(weights), "none at all")
    assert loaded.device == "cpu"
    assert isinstance(loaded, Predictor)


def test_auto_is_the_model_for_photographs_by_its_name() -> None:
    loaded = predictor.load("auto", "cpu")
    assert loaded.name == loaded.word == zoo.DEFAULT
    assert loaded.sha256 == zoo.entries()[zoo.DEFAULT].sha256
    assert loaded.terms == zoo.entries()[zoo.DEFAULT].terms


@pytest.mark.parametrize(
    ("scale", "options", "model"),
    [
        (1.0, {}, "convcnp-photo"),
        (1.0, {"kind": "data"}, "convcnp-field"),
        (2.0, {}, "convcnp-field"),
    ],
)
def test_floats_in_colour_are_a_photograph_unless_they_are_said_to_be_data(
    scale: float, options: dict[str, str], model: str
) -> None:
    picture = np.random.default_rng(0).random((12, 14, 3)) * scale
    done = npfill.complete(picture, box=(2, 2, 3, 3), samples=0, check=False, **options)  # type: ignore[arg-type]
    assert done.model == model


@pytest.mark.parametrize("bare", [False, True])
def test_the_folder_of_a_run_stands_for_its_best_weights(
    weights: Path, bare: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = weights.parent / "mine.v2"
    run.mkdir()
    shutil.copy(weights, run / "best.safetensors")
    if bare:
        run = run.rename(weights.parent / "mine")
        monkeypatch.chdir(weights.parent)
    loaded = predictor.load("mine" if bare else run, "cpu")
    assert loaded.name == run.name
    assert loaded.sha256 == sha256_of(weights)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a folder without best\.safetensors"):
        predictor.load(tmp_path)


def test_what_is_loaded_is_kept_until_its_file_changes(weights: Path) -> None:
    first = neural(weights).model
    assert neural(str(weights)).model is first
    checkpoint.save(weights, of("cnp", 1), {})
    assert neural(weights).model.variant == "cnp"


@pytest.mark.slow
def test_only_the_last_few_are_kept(weights: Path) -> None:
    first = neural(weights).model
    for number in range(4):
        path = weights.with_name(f"other-{number}.safetensors")
        checkpoint.save(path, of("cnp", 1), {"number": number})
        neural(path)
    assert neural(weights).model is not first


@pytest.mark.slow
def test_threads_load_and_predict_at_once(weights: Path) -> None:
    picture = colour()[..., :1]

    def work(_: int) -> tuple[NeuralPredictor, np.ndarray]:
        loaded = neural(weights)
        return loaded, loaded.predict(picture, HOLE, samples=1).samples[0]

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, range(8)))
    assert len({id(loaded.model) for loaded, _ in done}) == 1
    assert all(np.array_equal(sample, done[0][1]) for _, sample in done)


def test_a_network_of_the_caller_is_never_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    model = of("np", 1)
    for device in ("auto", "cpu"):
        loaded = predictor.load(model, device)
        assert isinstance(loaded, NeuralPredictor)
        assert loaded.model is model
        assert loaded.name == "np"
    monkeypatch.setattr(devices, "resolve", lambda _: torch.device("meta"))
    assert predictor.load(model).device == "cpu"
    copied = predictor.load(model, "cuda")
    assert isinstance(copied, NeuralPredictor)
    assert copied.device == "meta"
    assert next(copied.model.parameters()).is_meta
    assert not next(model.parameters()).is_meta


def test_a_predictor_stands_for_itself_and_a_baseline_for_its_predictor() -> None:
    loaded = predictor.load(joint())
    assert isinstance(loaded, BaselinePredictor)
    assert (loaded.name, loaded.sha256, loaded.device) == ("stated", None, "cpu")
    assert predictor.load(loaded) is loaded


def test_what_is_no_model_is_no_predictor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as it is for a user
    with pytest.raises(TypeError, match="int: neither the name"):
        predictor.load(42)  # type: ignore[arg-type]


def test_a_baseline_with_a_file_has_its_hash() -> None:
    file = baselines.BASELINES["linear"].file
    assert file is not None
    assert predictor.load("linear").sha256 == sha256_of(file)


def test_a_baseline_of_ones_own_is_loaded_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Grey(Baseline):
        name: ClassVar[str] = "grey"

        def fill(self, picture: np.ndarray, hole: np.ndarray) -> BaselinePrediction:
            return BaselinePrediction(np.full((int(hole.sum()), picture.shape[-1]), 0.5))

    monkeypatch.setitem(baselines.BASELINES, "grey", Grey)
    predicted = predictor.load("grey").predict(colour(), HOLE, samples=2)
    assert (predicted.mean == 0.5).all()
    assert not predicted.samples


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("sampler", ["latent", "independent", "autoregressive"])
def test_a_picture_is_encoded_once_for_mean_std_and_all_samples(
    name: str, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Autoregressive rounds and the last pass each encode the context that they add to."""
    model, encoded = of(name, 3), 0
    if sampler == "latent" and not model.has_latent:
        pytest.skip("it has no z")
    encode = model.encode

    def counted(*words: object) -> object:
        nonlocal encoded
        encoded += 1
        return encode(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "encode", counted)
    loaded, rounds = predictor.load(model), 2 if sampler == "autoregressive" else None
    predicted = loaded.predict(colour(), HOLE, samples=5, sampler=sampler, rounds=rounds)
    assert len(predicted.samples) == 5
    groups = 5 if model.any_size else 2
    assert encoded == 1 + (0 if rounds is None else groups * (rounds + 1))


def test_of_a_large_picture_a_network_sees_the_surroundings_of_the_hole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded, random = predictor.load(of("convcnp", 1)), np.random.default_rng(0)
    picture = random.random((1100, 40, 1), dtype=np.float32)
    hole = np.zeros((1100, 40), dtype=bool)
    hole[300:310, 12:20] = True
    whole = loaded.predict(picture, hole)
    monkeypatch.setattr(neural_predictor, "_LARGE", 0)
    near = loaded.predict(picture, hole)
    picture[768:] = 0  # 310 and the reach, up to a multiple of the reach
    assert (loaded.predict(picture, hole).mean == near.mean).all()
    for one, other in ((near.mean, whole.mean), (near.std, whole.std)):
        np.testing.assert_allclose(one, other, atol=1e-4)  # type: ignore[arg-type]
