"""What a convolutional neural process must satisfy beside the laws of all."""

from dataclasses import replace

import pytest
import torch

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess, build, config_of
from npfill.models.convcnp import ConvCNP
from npfill.models.parts import pyramid as levelled
from npfill.models.parts import unet
from npfill.models.parts.pyramid import filled, pyramid, unseen
from tests.conftest import MODELS, tiny

Model = NeuralProcess


def a_picture(height: int, width: int, share: float = 0.5, seed: int = 0) -> Context:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(1, 2, height, width, generator=generator, dtype=torch.float64)
    return Context(pixels, torch.rand(1, 1, height, width, generator=generator) < share)


def everywhere(model: Model, context: Context) -> Gaussian:
    predicted = model.predict(model.encode(context), None, Targets.every(context.size))
    shape = (1, *context.size, -1)
    return Gaussian(predicted.mean.view(shape), predicted.scale.view(shape))


@pytest.mark.slow
def test_a_picture_that_moves_by_the_coarsest_stride_takes_its_prediction_along() -> None:
    model, wide = tiny("convcnp"), a_picture(704, 736)
    moved = Context(wide.pixels[..., 32:], wide.observed[..., 32:])
    before, after = everywhere(model, wide), everywhere(model, moved)
    # Both fields of view together reach 320 pixels; coarser levels hardly count.
    rows, columns = slice(348, 356), slice(364, 388)
    at = slice(columns.start - 32, columns.stop - 32)
    for one, other in ((before.mean, after.mean), (before.scale, after.scale)):
        torch.testing.assert_close(one[:, rows, columns], other[:, rows, at], rtol=0, atol=2e-6)


BOTH = pytest.mark.parametrize("name", ["convcnp", "convcnp-refined"])


@BOTH
@pytest.mark.slow
def test_a_constant_added_to_the_context_is_added_to_the_mean_alone(name: str) -> None:
    model, context = tiny(name), a_picture(40, 50, share=0.2)
    before = everywhere(model, context)
    after = everywhere(model, replace(context, pixels=context.pixels + 0.3))
    torch.testing.assert_close(after.mean, before.mean + 0.3)
    torch.testing.assert_close(after.scale, before.scale)


@BOTH
@pytest.mark.slow
def test_windows_give_what_the_whole_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, context = tiny(name), a_picture(150, 210)
    whole = everywhere(model, context)
    monkeypatch.setattr(unet, "_SIDE", 32)
    in_windows = everywhere(model, context)
    torch.testing.assert_close(in_windows.mean, whole.mean)
    torch.testing.assert_close(in_windows.scale, whole.scale)


@pytest.mark.slow
def test_a_refiner_looks_around_the_targets_alone_and_answers_as_for_all() -> None:
    model, context = tiny("convcnp-refined"), a_picture(150, 210)
    assert isinstance(model, ConvCNP)
    assert model.refiner is not None
    seen: list[int] = []
    model.refiner.register_forward_hook(lambda _, given, __: seen.append(given[0][0, 0].numel()))
    whole = everywhere(model, context).mean.flatten(1, 2)
    some = Targets(torch.tensor([70 * 210 + 100, 74 * 210 + 103]), context.size)
    few = model.predict(model.encode(context), None, some).mean
    torch.testing.assert_close(few, whole[:, some.index])
    assert seen[1] < seen[0] / 8


def test_a_new_refiner_changes_nothing() -> None:
    plain, context = tiny("convcnp"), a_picture(40, 50)
    config = config_of("convcnp", MODELS["convcnp-refined"][1], "a test")
    refined = build("convcnp", config).double()
    refined.load_state_dict(refined.state_dict() | plain.state_dict())
    before, after = everywhere(plain, context), everywhere(refined, context)
    assert torch.equal(before.mean, after.mean)
    assert torch.equal(before.scale, after.scale)


def test_a_refiner_that_is_sure_makes_a_scale_smaller_by_little() -> None:
    model, context = tiny("convcnp-refined"), a_picture(40, 50)
    assert isinstance(model, ConvCNP)
    assert model.refiner is not None
    bias = model.refiner.scale[-1].get_parameter("bias")
    scales = []
    for value in (0.0, -100.0, 100.0):
        torch.nn.init.constant_(bias, value)
        scales.append(everywhere(model, context).scale)
    plain, narrow, wide = scales
    assert (narrow > 0.3 * plain).all()
    assert (wide > 50).all()


def test_only_windows_with_targets_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unet, "_SIDE", 32)
    model, context = tiny("convcnp"), a_picture(96, 96)
    assert isinstance(model, ConvCNP)
    computed: list[torch.Size] = []
    model.fine.register_forward_hook(lambda _, given, __: computed.append(given[0].shape))
    model.predict(model.encode(context), None, Targets(torch.tensor([0, 5]), (96, 96)))
    assert len(computed) == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2), (33, 31)])
def test_pictures_of_any_size_are_answered(size: tuple[int, int]) -> None:
    model = tiny("convcnp")
    for share in (0.0, 0.5, 1.0):
        predicted = everywhere(model, a_picture(*size, share=share))
        assert predicted.mean.isfinite().all()
        assert predicted.scale.isfinite().all()


def test_a_plane_is_filled_in_as_a_plane() -> None:
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    plane = (20 + 0.3 * rows + 0.5 * columns)[None, None] / 255
    observed = torch.ones_like(plane, dtype=torch.bool)
    observed[..., 30:62, 40:72] = False
    pictures = filled(pyramid(torch.where(observed, plane, torch.nan), observed))
    assert (pictures[0] - plane).abs().max() < 0.5 / 255


@pytest.mark.slow
def test_observed_pixels_stay_and_a_constant_is_filled_in_exactly() -> None:
    observed = torch.rand(1, 1, 37, 21, generator=torch.Generator().manual_seed(0)) < 0.1
    pixels = torch.full((1, 3, 37, 21), 0.25)
    torch.testing.assert_close(filled(pyramid(pixels, observed))[0], pixels)
    pixels = torch.rand(1, 3, 37, 21, generator=torch.Generator().manual_seed(1))
    kept = filled(pyramid(pixels, observed))[0]
    assert torch.equal(torch.where(observed, kept, 0), torch.where(observed, pixels, 0))


def test_the_density_channel_is_the_share_observed() -> None:
    observed = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    observed[..., ::2, :] = True
    for level in pyramid(torch.zeros(1, 1, 64, 64), observed)[1:4]:
        inner = level.density[..., 2:-2, 2:-2]
        torch.testing.assert_close(inner, torch.full_like(inner, 0.5))


def test_fewer_levels_see_something_the_farther_what_is_observed_lies() -> None:
    observed = torch.ones(1, 1, 128, 128, dtype=torch.bool)
    observed[..., 24:104, 24:104] = False
    levels = pyramid(torch.zeros(1, 1, 128, 128), observed)
    count = unseen(levels, 0)[0, 0]
    assert count[:20].max() < 0.2
    assert (count[64, 25:64:4].diff() > 0).all()
    # 40 pixels away, cells of 1 to 16 pixels see nothing; two of these are of 8 and more.
    assert count[64, 64] == pytest.approx(5, abs=0.1)
    coarse = unseen(levels, 3)[0, 0]
    assert coarse[64, 64] == pytest.approx(2, abs=0.1)
    assert coarse[64, :26].max() < 0.05


def test_the_calibration_goes_by_what_is_observed_around_each_pixel() -> None:
    model, context = tiny("convcnp"), a_picture(64, 64)
    context = replace(context, observed=context.observed.clone())
    context.observed[..., 16:48, 16:48] = False
    targets, before = Targets.every(context.size), everywhere(model, context)
    model.calibration.copy_(torch.tensor([0.1, -0.2]))
    after = model.condition(context).predict(None, targets)
    factor = (after.scale.view_as(before.scale) / before.scale)[0, ..., 0]
    assert factor[32, 32] > 1.25 * factor[4, 4]
    some = Targets(torch.tensor([5, 64 * 32 + 32]), context.size)
    torch.testing.assert_close(
        model.condition(context).predict(None, some).scale, after.scale[:, some.index]
    )
    model.calibration.copy_(torch.tensor([9.0, 0.0]))
    scale = model.condition(context).predict(None, targets).scale
    assert torch.equal(scale, torch.full_like(scale, model.widest))


def test_around_a_small_hole_the_fine_levels_are_those_of_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observed = torch.ones(1, 1, 224, 192, dtype=torch.bool)
    observed[..., 90:99, 60:100] = observed[..., :3, :2] = observed[..., -1:, -1:] = False
    levels = pyramid(a_picture(224, 192).pixels, observed)
    whole = filled(levels)
    monkeypatch.setattr(levelled, "_SIDE", 32)
    local = filled(levels)
    assert not torch.equal(local[1], whole[1]), "elsewhere it is not filled"
    for at in (0, 3, 4):
        torch.testing.assert_close(local[at], whole[at], rtol=0, atol=1e-12)
