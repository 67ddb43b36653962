"""Laws of the parts that variants are composed of."""

import math

import pytest
import torch

from npfill.context import Context
from npfill.models.parts.attention import KernelAttention, Memory, attend
from npfill.models.parts.basis import BasisEncoder
from npfill.models.parts.local import LocalEncoder, smoothed
from npfill.models.parts.points import Coordinates, means, points_of, sums_over_grid
from npfill.models.parts.pointwise import PointwiseDecoder, PointwiseEncoder

generator = torch.Generator().manual_seed(0)


def test_attention_with_equal_logits_is_the_mean_aggregator() -> None:
    values = torch.randn(2, 7, 4, generator=generator, dtype=torch.float64)
    valid = torch.rand(2, 7, generator=generator) < 0.6
    keys = torch.randn(2, 1, 7, 3, generator=generator, dtype=torch.float64)
    memory = Memory(keys, values.unsqueeze(1), valid[:, None, None])
    answer = attend(torch.zeros(2, 1, 5, 3, dtype=torch.float64), memory)
    mean = means(values, valid.unsqueeze(1))
    torch.testing.assert_close(answer.squeeze(1), mean.expand(-1, 5, -1))


def test_attention_without_content_is_gaussian_kernel_smoothing() -> None:
    attention = KernelAttention(width=8, heads=2, narrow=0.05, wide=0.3).double()
    for linear in (attention.to_query, attention.to_key):
        torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(attention.to_query.bias)
    features = torch.randn(1, 9, 8, generator=generator, dtype=torch.float64)
    points = torch.rand(1, 9, 2, generator=generator, dtype=torch.float64)
    at = torch.rand(1, 4, 2, generator=generator, dtype=torch.float64)
    memory = attention.memory(features, points, torch.ones(1, 9, dtype=torch.bool))
    answer = attention(torch.zeros(1, 4, 8, dtype=torch.float64), at, memory)
    distance = torch.cdist(at, points).square()
    smoothed = []
    for values, width in zip(
        attention.to_value(features).split(4, dim=-1), (0.05, 0.3), strict=True
    ):
        weights = (-distance / (2 * width**2)).softmax(-1)
        smoothed.append(weights @ values)
    expected = attention.to_output(torch.cat(smoothed, dim=-1))
    torch.testing.assert_close(answer, expected, rtol=1e-6, atol=1e-8)


def test_cosine_features_are_orthonormal_over_a_grid() -> None:
    context = Context(torch.zeros(1, 1, 8, 8).double(), torch.zeros(1, 1, 8, 8).bool())
    features = Coordinates("cosine", 8)(context.positions())
    torch.testing.assert_close(features.mT @ features / 64, torch.eye(64).double())


@pytest.mark.parametrize("encoding", ["raw", "fourier", "cosine"])
def test_encodings_have_the_number_of_features_they_say(encoding: str) -> None:
    coordinates = Coordinates(encoding, 3)  # type: ignore[arg-type]
    assert coordinates(torch.rand(5, 2)).shape == (5, coordinates.features)


def test_points_are_the_observed_pixels_with_their_own_coordinates() -> None:
    pixels = torch.arange(6, dtype=torch.float64).view(1, 1, 2, 3) / 6
    observed = torch.tensor([[[[True, False, False], [False, False, True]]]])
    points = points_of(Context(pixels, observed))
    assert points.values.flatten().tolist() == [0, 5 / 6]
    # The longer side spans [0, 1]; the shorter is centred.
    expected = [[1 / 3, 1 / 6], [2 / 3, 5 / 6]]
    torch.testing.assert_close(points.positions[0], torch.tensor(expected).double())


def test_a_coarse_grid_keeps_the_frame_of_its_picture() -> None:
    pixels = torch.zeros(1, 1, 2, 2)
    context = Context(pixels, torch.ones(1, 1, 2, 2, dtype=torch.bool), frame=(100, 50))
    expected = torch.tensor([[0.25, 0.375], [0.25, 0.625], [0.75, 0.375], [0.75, 0.625]])
    torch.testing.assert_close(context.positions(), expected)


@pytest.mark.parametrize("kind", [BasisEncoder, PointwiseEncoder])
def test_representations_are_means_over_points(kind: type) -> None:
    """The mean over two disjoint halves of a context, weighted by their size, is that of all."""
    coordinates = Coordinates("cosine", 3)
    torch.manual_seed(0)
    arguments = (coordinates, 1) if kind is BasisEncoder else (coordinates, 1, (8,), 5)
    encoder = kind(*arguments).double()
    pixels = torch.rand(1, 1, 4, 4, generator=generator, dtype=torch.float64)
    number = torch.arange(16).view(1, 1, 4, 4)
    some, rest, both = (
        Context(pixels, mask) for mask in (number < 5, (number >= 5) & (number < 12), number < 12)
    )
    weighted = (5 * encoder(some) + 7 * encoder(rest)) / 12
    torch.testing.assert_close(encoder(both), weighted)


def test_an_empty_set_has_a_mean_of_zero() -> None:
    values = torch.full((1, 3, 2), math.e)
    assert means(values, torch.zeros(1, 1, 3, dtype=torch.bool)).abs().sum() == 0


def test_local_averages_of_a_constant_are_that_constant_everywhere() -> None:
    encoder = LocalEncoder(nodes=5, channels=2)
    levels = torch.tensor([0.2, 0.9], dtype=torch.float64).view(1, 2, 1, 1)
    observed = torch.rand(3, 1, 9, 9, generator=generator) < 0.3
    r = encoder(Context(levels.expand(3, 2, 9, 9), observed))
    positions = torch.rand(20, 2, generator=generator, dtype=torch.float64)
    answer = smoothed(r, encoder.nodes, positions, channels=2)
    torch.testing.assert_close(answer, levels.view(1, 1, 2).expand(3, 20, 2))


def test_local_averages_follow_what_is_near() -> None:
    encoder = LocalEncoder(nodes=8, channels=1)
    ramp = torch.linspace(0, 1, 32, dtype=torch.float64).expand(1, 1, 32, 32)
    observed = torch.rand(1, 1, 32, 32, generator=generator) < 0.5
    r = encoder(Context(ramp, observed))
    across = torch.linspace(0.2, 0.8, 7, dtype=torch.float64)
    positions = torch.stack([torch.full_like(across, 0.5), across], dim=1)
    answer = smoothed(r, encoder.nodes, positions, channels=1)[0, :, 0]
    torch.testing.assert_close(answer, across, atol=0.03, rtol=0)


def test_sums_by_rows_and_columns_are_sums_over_the_pixels() -> None:
    grid = torch.randn(2, 3, 5, 7, generator=generator, dtype=torch.float64)
    rows = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    columns = torch.randn(4, 7, generator=generator, dtype=torch.float64)
    laid_out = (rows[:, None, :, None] * columns[None, :, None, :]).reshape(16, 35)
    expected = grid.flatten(2) @ laid_out.mT
    torch.testing.assert_close(sums_over_grid(grid, rows, columns), expected)


def test_cosine_features_are_products_of_waves_along_both_axes() -> None:
    positions = torch.rand(6, 2, generator=generator, dtype=torch.float64)
    features = Coordinates("cosine", 3)(positions).unflatten(-1, (3, 3))
    for j, k in ((0, 0), (1, 2), (2, 0)):
        factor = 2.0 ** (0.5 * ((j > 0) + (k > 0)))
        wave = (math.pi * j * positions[:, 0]).cos() * (math.pi * k * positions[:, 1]).cos()
        torch.testing.assert_close(features[:, j, k], factor * wave)


@pytest.mark.parametrize("rows", [1, 7, 10**6])
def test_how_many_draws_are_decoded_at_once_cannot_be_seen(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    decode = PointwiseDecoder(Coordinates("raw", 0), (0, 4), (8, 8), 2, 0.1).double()
    z = torch.randn(9, 2, 4, generator=generator, dtype=torch.float64)
    positions = torch.rand(3, 2, generator=generator, dtype=torch.float64)
    each = [decode(positions, None, one[None]).mean for one in z]
    monkeypatch.setattr("npfill.models.parts.pointwise._ROWS", rows)
    torch.testing.assert_close(decode(positions, None, z).mean, torch.cat(each))
