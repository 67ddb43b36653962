"""Metrics of the looks of samples: on pictures of which they are known."""

import math

import pytest
import torch
from torch import Tensor

from benchmarks import texture
from npfill.evaluate import looks
from npfill.evaluate.case import Case
from npfill.evaluate.metrics import METRICS
from npfill.evaluate.predictions import BatchPrediction
from npfill.gaussian import Gaussian
from npfill.seeds import generator

SIZE = (40, 48)
SHAPE = (1, 3, *SIZE)
HOLE = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
HOLE[..., 8:30, 10:34] = True


def noise(number: int) -> Tensor:
    return torch.rand(SHAPE, generator=generator("looks", number))


def score(name: str, pictures: Tensor, *samples: Tensor, std: float = 1.0) -> float:
    drawn = torch.stack([each.flatten(2).mT for each in samples]) if samples else None
    moments = Gaussian(
        torch.zeros(1, 1, SIZE[0] * SIZE[1], 3),
        torch.tensor([std]).expand(1, 1, SIZE[0] * SIZE[1], 3),
    )
    prediction = BatchPrediction(moments.mean[0], moments, samples=drawn)
    found = METRICS[name].compute(Case(prediction, pictures, ~HOLE))
    assert found is not None
    return float(found)


def test_the_original_is_the_sample_that_looks_like_it() -> None:
    picture = noise(0)
    for name in ("band_fine", "band_middle", "band_coarse"):
        assert abs(score(name, picture, picture)) < 1e-5
        half = picture.mean() + (picture - picture.mean()) / 2
        assert score(name, picture, half) < -1
    assert abs(score("band_ring", picture, picture)) < 0.3
    assert abs(score("seam", picture, picture) - 1) < 0.2


def test_a_blur_lacks_what_is_fine_most() -> None:
    picture = noise(0)
    blurred = torch.nn.functional.avg_pool2d(picture, 3, 1, 1)
    lost = [score(f"band_{name}", picture, blurred) for name in ("fine", "middle", "coarse")]
    assert lost[0] < lost[1] < lost[2] < 0


def test_a_step_at_the_rim_is_a_seam() -> None:
    picture = 0.1 * noise(0)
    assert score("seam", picture, picture + 0.5) > 5


def test_a_seam_of_what_is_flat_beside_it_has_no_measure() -> None:
    assert math.isnan(score("seam", torch.zeros(SHAPE), torch.full(SHAPE, 0.5)))


def test_the_spread_of_samples_is_beside_the_predicted_one() -> None:
    samples = [0.5 + 0.1 * torch.randn(SHAPE, generator=generator(k)) for k in range(30)]
    assert abs(score("spread", noise(0), *samples, std=0.1) - 1) < 0.1


def test_the_first_sample_alone_is_scored() -> None:
    picture = noise(0)
    one, two = (score("sample_psnr", picture, *some) for some in ([noise(1)], [noise(1), picture]))
    assert one == two


def test_one_sample_alone_has_no_diversity() -> None:
    drawn = noise(1).flatten(2).mT[None]
    prediction = BatchPrediction(drawn[0], None, samples=drawn)
    assert METRICS["diversity"].compute(Case(prediction, noise(0), ~HOLE)) is None


@pytest.mark.parametrize("side", [23, 24])
def test_a_picture_too_small_for_the_network_has_no_perceptual_distance(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_perceptual", lambda: lambda first, _: torch.ones(len(first)))
    pictures = torch.rand(2, 3, side, 40, generator=generator("small"))
    rows = pictures.flatten(2).mT
    case = Case(BatchPrediction(rows, samples=rows[None]), pictures, pictures[:, :1] < 0.5)
    found = METRICS["st_lpips"].compute(case)
    assert (found is None) == (side < 24)


@pytest.mark.parametrize("size", [(200, 300), (250, 400), (100, 100), (300, 500), (60, 700)])
def test_the_middle_of_a_small_photograph_is_all_that_there_is(size: tuple[int, int]) -> None:
    picture = torch.arange(size[0] * size[1]).view(1, *size)
    cut = texture._middle(picture)
    rows, columns = (256, 384) if size[1] >= size[0] else (384, 256)
    assert cut.shape[1:] == (min(size[0], rows), min(size[1], columns))
    middle = picture[0, (size[0] - 1) // 2, (size[1] - 1) // 2]
    assert cut[0, (cut.shape[1] - 1) // 2, (cut.shape[2] - 1) // 2] == middle
    assert 0 < texture._box(0, size).mean() <= 0.25
