"""What pictures look like, in numbers."""

import math

import numpy as np
import pytest
import torch

from npfill.scores import coherence, diversity, edge_correlation, psnr, ssim

HOLE = torch.ones(1, 1, 24, 24, dtype=torch.bool)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_psnr_is_that_of_the_error_in_the_hole() -> None:
    truth, hole = noise(1, 3, 24, 24), HOLE.clone()
    hole[..., :12] = False
    mean = torch.where(hole, truth + 0.1, 55.0)
    assert psnr(mean, truth, hole).item() == pytest.approx(20.0)


@pytest.mark.slow
def test_ssim_agrees_with_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    truth, mean = noise(1, 1, 24, 24), noise(1, 1, 24, 24, seed=1)
    mean = 0.7 * truth + 0.3 * mean
    hole = torch.zeros_like(HOLE)
    hole[..., 6:18, 6:18] = True
    completed = torch.where(hole, mean, truth)
    _, reference = metrics.structural_similarity(
        completed[0, 0].numpy(),
        truth[0, 0].numpy(),
        gaussian_weights=True,
        use_sample_covariance=False,
        data_range=1.0,
        full=True,
    )
    expected = reference[6:18, 6:18].mean()
    assert ssim(mean, truth, hole).item() == pytest.approx(expected, abs=1e-9)


def test_a_perfect_completion_has_an_ssim_of_one() -> None:
    truth = noise(2, 3, 24, 24)
    torch.testing.assert_close(ssim(truth, truth, HOLE.expand(2, -1, -1, -1)).mean().item(), 1.0)


def test_a_std_that_is_the_gradient_correlates_fully() -> None:
    truth = noise(1, 1, 24, 24)
    down, across = np.gradient(truth[0, 0].numpy())
    std = torch.from_numpy(np.hypot(down, across)).view(1, 1, 24, 24)
    assert edge_correlation(3 * std + 1, truth, HOLE).item() == pytest.approx(1.0)
    assert edge_correlation(5 - std, truth, HOLE).item() == pytest.approx(-1.0)


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    samples = torch.stack([torch.full((1, 1, 24, 24), level) for level in (0.0, 0.1, 0.4)])
    assert diversity(samples, HOLE).item() == pytest.approx((0.1 + 0.4 + 0.3) / 3)


def test_noise_has_no_coherence_and_smooth_deviations_have() -> None:
    mean = torch.zeros(1, 1, 24, 24, dtype=torch.float64)
    wave = torch.sin(torch.linspace(0, math.pi, 24, dtype=torch.float64)).expand(5, 1, 1, 24, 24)
    assert abs(coherence(noise(5, 1, 1, 24, 24) - 0.5, mean, HOLE).item()) < 0.05
    assert coherence(wave, mean, HOLE).item() > 0.9
