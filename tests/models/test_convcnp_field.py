"""What the network for grids of numbers must satisfy beside the laws of all."""

from dataclasses import replace

import pytest
import torch

from npfill.context import Context
from npfill.models.parts import unet
from npfill.models.parts.pyramid import pyramid
from npfill.models.parts.splines import Spline, kriged, splines
from npfill.seeds import generator
from tests.conftest import tiny
from tests.models.test_convcnp import a_picture, everywhere

FACTORS = [(1.0, 1e6), (1e-30, 0.0), (1e20, 0.0), (1e20, -1e20)]


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "constant"), FACTORS)
def test_a_factor_and_a_constant_go_through_to_the_mean_and_the_factor_to_the_scale(
    factor: float, constant: float
) -> None:
    model, context = tiny("convcnp-field"), a_picture(40, 50, share=0.2)
    before = everywhere(model, context)
    after = everywhere(model, replace(context, pixels=factor * context.pixels + constant))
    lost = abs(constant) * 1e-12 / factor
    torch.testing.assert_close(
        (after.mean - constant) / factor, before.mean, rtol=1e-6, atol=1e-7 + lost
    )
    torch.testing.assert_close(after.scale / factor, before.scale, rtol=1e-6, atol=1e-7 + lost)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1e-30, 1e20])
def test_a_power_of_ten_is_no_matter_in_single_precision(factor: float) -> None:
    model, picture = tiny("convcnp-field").float(), a_picture(40, 50, share=0.2)
    context = replace(picture, pixels=picture.pixels.float())
    before = everywhere(model, context)
    after = everywhere(model, replace(context, pixels=factor * context.pixels))
    torch.testing.assert_close(after.mean / factor, before.mean, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(after.scale / factor, before.scale, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.0, 0.3, -1e20])
def test_a_constant_field_gives_itself_with_no_std(value: float) -> None:
    model, context = tiny("convcnp-field"), a_picture(40, 50, share=0.2)
    predicted = everywhere(model, replace(context, pixels=torch.full_like(context.pixels, value)))
    assert ((predicted.mean - value).abs() < 1e-300).all()
    assert (predicted.scale < 1e-300).all()


@pytest.mark.slow
def test_each_channel_is_completed_as_if_it_were_alone() -> None:
    model, context = tiny("convcnp-field"), a_picture(40, 50, share=0.2)
    both = everywhere(model, context)
    alone = tiny("convcnp-field", channels=1)
    for channel in (0, 1):
        one = everywhere(alone, replace(context, pixels=context.pixels[:, [channel]]))
        torch.testing.assert_close(one.mean[..., 0], both.mean[..., channel])
        torch.testing.assert_close(one.scale[..., 0], both.scale[..., channel])


@pytest.mark.slow
def test_windows_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    model, context = tiny("convcnp-field"), a_picture(150, 210)
    whole = everywhere(model, context)
    monkeypatch.setattr(unet, "_SIDE", 32)
    in_windows = everywhere(model, context)
    torch.testing.assert_close(in_windows.mean, whole.mean)
    torch.testing.assert_close(in_windows.scale, whole.scale)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2), (33, 31)])
def test_pictures_of_any_size_are_answered(size: tuple[int, int]) -> None:
    model = tiny("convcnp-field")
    for share in (0.0, 0.5, 1.0):
        predicted = everywhere(model, a_picture(*size, share=share))
        assert predicted.mean.isfinite().all()
        assert predicted.scale.isfinite().all()


def a_plane(side: int = 32) -> torch.Tensor:
    axis = torch.arange(side, dtype=torch.float64)
    return (0.3 * axis[:, None] - 0.2 * axis).expand(1, 1, side, side)


def scattered(side: int = 32, share: float = 0.2) -> torch.Tensor:
    return torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0)) < share


def drawn_through(values: torch.Tensor, observed: torch.Tensor, *kinds: Spline) -> torch.Tensor:
    return splines(pyramid(torch.where(observed, values, 0.0), observed), list(kinds))


def test_a_thin_plate_and_a_stiffer_one_continue_a_plane_that_a_membrane_flattens() -> None:
    observed, bendings = scattered(), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    drawn = drawn_through(a_plane(), observed, *map(Spline, bendings))
    membrane, plate, stiff = (drawn - a_plane()).square().mean((-2, -1)).sqrt().flatten().tolist()
    assert plate < membrane / 2
    assert stiff < membrane


def test_a_membrane_is_the_mean_of_its_neighbours_and_passes_through_what_is_observed() -> None:
    observed = scattered()
    values = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(1)).double()
    drawn = drawn_through(values, observed, Spline((1.0, 0.0, 0.0)))
    torch.testing.assert_close(drawn[observed], values[observed], rtol=0, atol=1e-3)
    around = drawn[..., 2:, 1:-1] + drawn[..., :-2, 1:-1]
    around = (around + drawn[..., 1:-1, 2:] + drawn[..., 1:-1, :-2]) / 4
    hidden = ~observed[..., 1:-1, 1:-1]
    torch.testing.assert_close(around[hidden], drawn[..., 1:-1, 1:-1][hidden], rtol=0, atol=2e-3)


def test_a_spline_with_a_small_weight_smooths() -> None:
    observed = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    noise = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    kinds = [Spline((0.0, 1.0, 0.0), weight) for weight in (1.0, 0.01)]
    little, much = drawn_through(noise, observed, *kinds).std((-2, -1)).flatten().tolist()
    assert much < 0.5 * little < 0.5


def test_the_mean_of_a_process_is_that_of_the_closed_form() -> None:
    observed = scattered(side=16, share=0.1)
    values = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(1)).double()
    at = torch.cartesian_prod(*2 * [torch.arange(16.0, dtype=torch.float64)])
    covariance = (-0.5 * (torch.cdist(at, at) / 2.0).square()).exp()
    seen = observed.flatten()
    among = covariance[seen][:, seen] + 1e-4 * torch.eye(int(seen.sum()))
    expected = covariance[:, seen] @ torch.linalg.solve(among, values.flatten()[seen])
    found = kriged(values, observed, torch.tensor([[2.0]], dtype=torch.float64))
    assert (found.flatten() - expected).square().mean().sqrt() < 0.02


@pytest.mark.slow
def test_one_wild_value_spoils_no_other() -> None:
    model, context = tiny("convcnp-field"), a_picture(64, 64, share=0.5)
    row, column = (int(axis[0]) for axis in context.observed[0, 0, :2, :2].nonzero(as_tuple=True))
    wild = context.pixels.clone()
    wild[..., row, column] = 1e6
    before = everywhere(model, context)
    after = everywhere(model, Context(wild, context.observed))
    far = slice(32, None)
    change = (after.mean - before.mean)[:, far, far].abs().median()
    assert change < 0.05


@pytest.mark.parametrize("side", [12, 24, 40])
def test_the_mean_of_a_process_does_not_hang_on_rounding(side: int) -> None:
    noise = torch.randn(1, 1, side, side, generator=generator("noise"), dtype=torch.float64)
    waves = noise / 5 + torch.arange(side).div(3).sin()
    observed = torch.rand(1, 1, side, side, generator=generator("seen")) < 0.3
    lengths = torch.tensor([[3.0, 8.0]], dtype=torch.float64)
    one, other = (kriged(factor * waves, observed, lengths) / factor for factor in (1.0, 1.7))
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
