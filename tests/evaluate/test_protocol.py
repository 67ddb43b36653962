"""The protocol's numbers, against a plain evaluation: float64, one picture and draw at a time."""

import math
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from npfill import checkpoint, scores, zoo
from npfill.baselines import Baseline
from npfill.baselines.linear import Linear, fit
from npfill.baselines.nearest import Nearest
from npfill.context import Context, Targets
from npfill.errors import InputError
from npfill.evaluate import evaluate
from npfill.evaluate.contexts import kind
from npfill.evaluate.predictions import (
    BatchPrediction,
    BatchPredictor,
    GridBaseline,
    GridModel,
)
from npfill.evaluate.protocol import images_for, measure
from npfill.evaluate.report import tables
from npfill.files import folder
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.pictures.picture import intensities
from npfill.pictures.read import read_picture
from npfill.predictor import load
from npfill.predictor.best import BestPredictor
from npfill.sampling import draws
from tests.conftest import last_bias, of, tiny

DRAWS, SEED = 4, 5
CONTEXT = kind("random:60")


def digits() -> Tensor:
    """The bundled digit, as it is and turned, as bytes "image 1 28 28"."""
    values = intensities(read_picture(folder("examples") / "digit.png").image).squeeze()
    digit = torch.from_numpy(np.rint(values * 255).astype(np.uint8))
    return torch.stack([digit, digit.flip(0), digit.T.contiguous()]).unsqueeze(1)


def plain(model: NeuralProcess, image: Tensor, seen: Tensor) -> dict[str, float]:
    """Direct formulas for one picture."""
    pixels, draw_count = (image.double() / 255).unsqueeze(0), 1
    model, context = model.double(), Context(pixels, seen.unsqueeze(0))
    latent = model.infer(context)
    if latent is not None:
        draw_count = DRAWS
    factor = math.exp(
        model.calibration[0] + model.calibration[1] * math.log(int(seen.sum()) / seen.numel())
    )
    log_joint, per_target, total, squares = [], [], [], []
    hole = [i for i in range(seen.numel()) if not seen.flatten()[i]]
    truth = [float(pixels.flatten()[i]) for i in hole]
    for k in range(draw_count):
        z = None if latent is None else draws(latent, SEED, "scores", DRAWS)[k : k + 1]
        answer = model.predict(model.encode(context), z, Targets.every((28, 28)))
        means = [float(answer.mean.flatten()[i]) for i in hole]
        scales = [float(answer.scale.flatten()[i]) * factor for i in hole]
        logs = [
            -0.5 * ((y - m) / s) ** 2 - math.log(s) - 0.5 * math.log(2 * math.pi)
            for y, m, s in zip(truth, means, scales, strict=True)
        ]
        log_joint.append(sum(logs))
        per_target.append(logs)
        total.append(means)
        squares.append(scales)
    largest = max(log_joint)
    mixed = largest + math.log(sum(math.exp(v - largest) for v in log_joint) / draw_count)
    mean = [sum(column) / draw_count for column in zip(*total, strict=True)]
    variance = [
        sum(s**2 for s in scales) / draw_count + sum((m - middle) ** 2 for m in means) / draw_count
        for scales, means, middle in zip(
            zip(*squares, strict=True), zip(*total, strict=True), mean, strict=True
        )
    ]
    pointwise = [
        math.log(sum(math.exp(v - max(column)) for v in column) / draw_count) + max(column)
        for column in zip(*per_target, strict=True)
    ]
    below = [
        sum(NormalDist(m, s).cdf(y) for m, s in zip(ms, ss, strict=True)) / draw_count
        for y, ms, ss in zip(
            truth, zip(*total, strict=True), zip(*squares, strict=True), strict=True
        )
    ]
    n = len(truth)
    error = sum((y - m) ** 2 for y, m in zip(truth, mean, strict=True)) / n
    standardised = [(y - m) ** 2 / v for y, m, v in zip(truth, mean, variance, strict=True)]
    return {
        "mse": error,
        "psnr": -10 * math.log10(error),
        "log_likelihood": mixed / n,
        "pointwise": sum(pointwise) / n,
        "z_squared": sum(standardised) / n,
        "coverage_50": sum(0.25 <= f <= 0.75 for f in below) / n,
        "coverage_90": sum(0.05 <= f <= 0.95 for f in below) / n,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnp-mnist", "lcnp-mnist", "np-mnist", "anp-mnist"])
@torch.no_grad()
def test_numbers_agree_with_a_plain_evaluation(name: str) -> None:
    images, model = digits(), checkpoint.load(zoo.find(name).path).model
    result = measure(name, GridModel(model, DRAWS, SEED), CONTEXT, images, SEED)
    observed = CONTEXT.observed(len(images), (28, 28), SEED)
    rows = [plain(model, image, seen) for image, seen in zip(images, observed, strict=True)]
    for key in rows[0]:
        expected = [row[key] for row in rows]
        tolerance = {"coverage_50": 2e-3, "coverage_90": 2e-3}.get(key, 1e-5)
        found = result.scores[key]
        assert found.value == pytest.approx(np.mean(expected), rel=1e-4, abs=tolerance), key
        error = np.std(expected, ddof=1) / math.sqrt(len(rows))
        assert found.error == pytest.approx(error, rel=1e-3, abs=tolerance), key


def test_the_linear_baseline_has_its_joint_density() -> None:
    """As a Gaussian of the hole's pixels, with the inverse and determinant of its covariance."""
    generator = torch.Generator().manual_seed(0)
    train = torch.randint(0, 256, (200, 1, 6, 6), generator=generator, dtype=torch.uint8)
    image, context = train[:1], kind("random:10")
    statistics = fit(train)
    result = measure("", GridBaseline(Linear(statistics), 0), context, image, 0)
    covariance = statistics.covariance + 1e-4 * np.eye(36)
    seen = context.observed(1, (6, 6), 0).flatten().numpy()
    values, mean = image.flatten().numpy() / 255, statistics.mean.flatten()
    gain = covariance[np.ix_(~seen, seen)] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
    expected = mean[~seen] + gain @ (values[seen] - mean[seen])
    conditional = covariance[np.ix_(~seen, ~seen)] - gain @ covariance[np.ix_(seen, ~seen)]
    residual = values[~seen] - expected
    joint = -0.5 * (
        residual @ np.linalg.inv(conditional) @ residual
        + np.linalg.slogdet(2 * np.pi * conditional)[1]
    )
    assert result.scores["log_likelihood"].value == pytest.approx(joint / 26, rel=1e-5)
    assert result.scores["mse"].value == pytest.approx(np.mean(residual**2), rel=1e-5)
    z_squared = np.mean(residual**2 / np.diagonal(conditional))
    assert result.scores["z_squared"].value == pytest.approx(z_squared, rel=1e-5)


@pytest.mark.parametrize("name", ["cnp", "lcnp", "np", "anp"])
@torch.no_grad()
def test_predictions_never_see_the_targets(name: str) -> None:
    """z too: were it drawn from the whole picture, likelihoods would be too good."""
    model = tiny(name)
    pixels = torch.rand(2, 2, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    observed = kind("random:12").observed(2, (6, 6), 0)
    predictor = GridModel(model, DRAWS, SEED)
    one = predictor.predict(pixels, observed)
    other = predictor.predict(torch.where(observed, pixels, 1.0 - pixels), observed)
    assert one.components is not None
    assert other.components is not None
    assert torch.equal(one.components.mean, other.components.mean)
    assert torch.equal(one.components.scale, other.components.scale)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers() -> None:
    images, model = digits(), checkpoint.load(zoo.find("np-mnist").path).model
    once, again, other = (
        measure("", GridModel(model, DRAWS, seed), CONTEXT, images, seed) for seed in (5, 5, 6)
    )
    assert once == again
    assert once.scores["mse"] != other.scores["mse"]


@pytest.mark.slow
def test_with_everything_observed_only_the_context_is_scored() -> None:
    model = GridModel(checkpoint.load(zoo.find("cnp-mnist").path).model, 1, 0)
    scores = measure("", model, kind("random:784"), digits(), 0).scores
    assert scores["context_mse"].value > 0
    assert "mse" not in scores


def test_fewer_pictures_are_used_where_the_context_is_not_random() -> None:
    assert images_for(kind("random:10"), 1000) == 1000
    assert images_for(kind("ordered:10"), 1000) == 200
    assert images_for(kind("top-half"), 50) == 50


def test_networks_of_one_variant_are_all_measured_and_a_sampler_once(tmp_path: Path) -> None:
    np.save(tmp_path / "digits.npy", digits()[:, 0].numpy())
    networks = [of("cnp", 1), of("cnp", 1)]
    with torch.no_grad():
        last_bias(networks[1])[:1] += 0.2
    words = ["auto", "autoregressive"]
    measured = evaluate(
        networks, tmp_path / "digits.npy", contexts="random:60", samplers=words, draws=1, size=28
    )
    assert [result.predictor for result in measured.results] == [
        "cnp autoregressive",
        "cnp 2 autoregressive",
    ]
    assert measured.results[0].scores["mse"] != measured.results[1].scores["mse"]


def test_a_choice_among_predictors_is_measured_on_a_grid(tmp_path: Path) -> None:
    np.save(tmp_path / "digits.npy", digits()[:, 0].numpy())
    chooser = BestPredictor((load(of("convcnp", 1)),), name="best", word="best")
    results = evaluate([chooser], tmp_path / "digits.npy", contexts="random:300", size=28)
    assert results.predictors == {"best": "fitted to each picture"}
    assert results.results[0].scores.keys() > {"mse", "coverage_90", "seconds"}


def test_an_exact_picture_is_counted_beside_the_psnr_of_others_and_has_its_ssim(
    tmp_path: Path,
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "one.npy", values[:1])
    values[1] = 255
    for name, count in (("both", 2), ("exact", 1)):
        np.save(tmp_path / f"{name}.npy", values[-count:])
    one, both, exact = (
        evaluate(["nearest"], tmp_path / f"{name}.npy", contexts="top-half", size=8)
        for name in ("one", "both", "exact")
    )
    alone, found = one.results[0].scores, both.results[0].scores
    assert found["psnr"] == replace(alone["psnr"], infinite=1)
    assert found["ssim"].value == pytest.approx((alone["ssim"].value + 1) / 2)
    (cells,) = [row for table in tables(both, ["psnr"]) for row in table.cells(errors=False)]
    assert cells[-1] == f"{alone['psnr'].value:.2f} (1 infinite)"
    assert exact.results[0].scores["psnr"].value == math.inf


def test_pictures_that_are_exact_but_for_rounding_are_counted_as_exact() -> None:
    truth, hole = torch.full((3, 1, 2, 2), 0.3), torch.ones(3, 1, 2, 2, dtype=torch.bool)
    errors = torch.tensor([0.0, 1e-8, 1e-3]).view(3, 1, 1, 1)
    found = scores.psnr(truth.double() + errors, truth.double(), hole)
    assert found[:2].tolist() == [math.inf, math.inf]
    assert found[2].item() == pytest.approx(60, abs=1e-3)


class Sure(BatchPredictor):
    """A predictor that is sure of black."""

    def predict(self, pixels: Tensor, observed: Tensor) -> BatchPrediction:
        """A Gaussian of hardly any width."""
        mean = torch.zeros(len(pixels), pixels[0, 0].numel(), 1)
        parts = Gaussian(mean[None], torch.full_like(mean, 1e-42)[None])
        target = ~observed.flatten(1)
        likelihood = scores.log_likelihood(parts, pixels.flatten(2).mT, target)
        return BatchPrediction(mean, parts, likelihoods=(likelihood, likelihood))


def test_a_model_that_is_sure_of_something_else_has_no_finite_scores() -> None:
    pictures = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    pictures[0, 0, 3] = 200
    found = measure("", Sure(), kind("top-half"), pictures.flip(2), 0).scores
    assert (found["log_likelihood"].value, found["z_squared"].value) == (-math.inf, math.inf)
    for name in ("log_likelihood", "z_squared"):
        assert (found[name].pictures, found[name].infinite) == (3, 1)


def test_a_baseline_that_is_an_object_is_measured_as_it_is(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        for number in range(4):
            values = random.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / part / f"{number}.png")
    own = Linear(fit(torch.randint(0, 256, (20, 1, 8, 8), dtype=torch.uint8)))
    models: list[str | Baseline] = [Nearest(1), Nearest(9), own, "nearest", "linear"]
    results = evaluate(models, tmp_path, contexts="random:30", size=8)
    names = ["nearest 1", "nearest 2", "linear 3", "nearest", "linear"]
    assert [*results.predictors] == names
    assert {results.predictors[name] for name in names[:3]} == {"fitted to each picture"}
    errors = [result.scores["mse"] for result in results.results]
    assert errors[0] != errors[1]
    assert errors[2] != errors[4]
    for model, error in zip(models[1:3], errors[1:3], strict=True):
        alone = evaluate([load(model)], tmp_path, contexts="random:30", size=8)
        assert alone.results[0].scores["mse"] == error


@pytest.mark.parametrize(
    ("files", "part", "count", "refused"),
    [
        ("train/0 train/1 val/2", "validation pictures", 1, False),
        ("train/0 train/1 train/2 loose", "all pictures", 3, True),
        ("test/0 test/1", "test pictures", 2, True),
        ("train/0 test/1 test/2", "test pictures", 2, False),
    ],
)
def test_what_is_measured_and_fitted_to_is_the_part_that_is_there(
    files: str, part: str, count: int, refused: bool, tmp_path: Path
) -> None:
    for number, name in enumerate(files.split()):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        values = np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / f"{name}.png")
    results = evaluate(["nearest"], tmp_path, contexts="random:20")
    assert (results.part, results.budget.images) == (part, count)
    if refused:
        with pytest.raises(InputError, match="no training part"):
            evaluate(["linear"], tmp_path, contexts="random:20")
    else:
        evaluate(["linear"], tmp_path, contexts="random:20")


def test_what_the_smallest_pictures_cannot_have_is_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "tiny.npy", np.arange(32, dtype=np.uint8).reshape(2, 4, 4))
    (result,) = evaluate(["nearest"], tmp_path / "tiny.npy", contexts="random:2").results
    assert "mse" in result.scores
    assert "ssim" not in result.scores
