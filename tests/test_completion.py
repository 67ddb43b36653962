"""A picture, a hole and a model become a completion, whatever the picture comes as."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import npfill
from npfill import Completion
from npfill.context import Context, Targets
from npfill.errors import InputError, ModelError, NpfillError, UsageError
from npfill.mask.network import network
from npfill.models import NeuralProcess, build
from npfill.sampling import MOMENT_DRAWS, draws, predictive
from tests.conftest import MODELS, last_bias, of, wrong_types

Model = NeuralProcess
LATENT = ("lcnp", "lcnp-basis", "np", "np-basis", "np-local", "anp")
SIZE = (5, 6)
HOLE = np.zeros(SIZE, dtype=bool)
HOLE[1:4, 2:5] = True


def grey(size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def colour(size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)


def in_unit(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) / np.float32(255)


def a_hole(size: tuple[int, int]) -> np.ndarray:
    """About half of the pixels, and never all or none of several."""
    hole = np.random.default_rng(2).random(size) < 0.5
    hole.flat[0], hole.flat[-1] = False, True
    return hole


def std_of(completed: Completion) -> np.ndarray:
    """The std, which every neural process has."""
    assert completed.std is not None
    return completed.std


def assert_equal(one: Completion, other: Completion) -> None:
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(std_of(one), std_of(other))
    assert np.array_equal(one.samples, other.samples)


def assert_close(one: Completion, other: Completion) -> None:
    for name in ("mean", "std", "samples"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-5)


PICTURES: dict[str, tuple[Any, np.ndarray]] = {
    "PIL L": (Image.fromarray(grey()), grey()),
    "PIL RGB": (Image.fromarray(colour()), colour()),
    "bytes HxW": (grey(), grey()),
    "bytes HxWx1": (grey()[..., None], grey()[..., None]),
    "bytes HxWx3": (colour(), colour()),
    "16 bits HxWx3": (colour().astype(np.uint16) * 257, colour().astype(np.uint16) * 257),
    "float32 HxW": (in_unit(grey()), in_unit(grey())),
    "float64 HxWx3": (colour() / 255, colour() / 255),
    "tensor HxW": (torch.from_numpy(grey()), grey()),
    "tensor 1xHxW": (torch.from_numpy(in_unit(grey()))[None], in_unit(grey())[None]),
    "tensor 3xHxW": (torch.from_numpy(colour()).permute(2, 0, 1), np.moveaxis(colour(), -1, 0)),
    "float tensor 3xHxW with gradients": (
        torch.from_numpy(in_unit(colour())).permute(2, 0, 1).requires_grad_(),
        np.moveaxis(in_unit(colour()), -1, 0),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize(("name", "channels"), [("cnp", 3), ("anp", 1)])
def test_a_completion_has_the_type_and_shape_of_its_picture_and_equals_it_outside(
    kind: str, channels: int, name: str
) -> None:
    picture, values = PICTURES[kind]
    completed = npfill.complete(picture, HOLE, of(name, channels), samples=2)
    # The axes of the hole are the first two, or the last two of a tensor with channels.
    outside = ~HOLE if values.shape[:2] == SIZE else (slice(None), ~HOLE)
    assert completed.mean.shape == std_of(completed).shape == values.shape
    assert completed.samples.shape == (2, *values.shape)
    for filled in (completed.mean, *completed.samples):
        assert filled.dtype == values.dtype
        assert np.array_equal(filled[outside], values[outside])
        if values.dtype.kind == "f":
            assert filled.min() >= 0
            assert filled.max() <= 1
    assert not std_of(completed)[outside].any()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_std_is_positive_in_the_hole(name: str) -> None:
    assert (std_of(npfill.complete(grey(), HOLE, of(name, 1), samples=0))[HOLE] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), [*((name, 3) for name in MODELS), ("anp", 1)])
def test_what_is_under_the_hole_changes_nothing(name: str, channels: int) -> None:
    picture, model = in_unit(colour()), of(name, channels)
    expected = npfill.complete(picture, HOLE, model, samples=1)
    for hidden in (np.nan, np.inf, -7.0):
        spoiled = np.where(HOLE[..., None], np.float32(hidden), picture)
        assert_equal(npfill.complete(spoiled, HOLE, model, samples=1), expected)


@pytest.mark.slow
def test_every_form_of_a_picture_gives_the_same_completion() -> None:
    model = of("np", 3)
    expected = npfill.complete(colour(), HOLE, model)
    assert_equal(npfill.complete(Image.fromarray(colour()), HOLE, model), expected)
    as_floats = npfill.complete(in_unit(colour()), HOLE, model)
    assert np.array_equal(np.rint(as_floats.mean * 255), expected.mean)
    assert std_of(as_floats) * 255 == pytest.approx(std_of(expected))
    tensor = torch.from_numpy(colour()).permute(2, 0, 1)
    completed = npfill.complete(tensor, torch.from_numpy(HOLE), model)
    assert np.array_equal(np.moveaxis(completed.mean, 0, -1), expected.mean)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), [*((name, 3) for name in MODELS), ("anp", 1)])
def test_neither_moments_nor_sample_k_depend_on_how_many_samples_are_drawn(
    name: str, channels: int
) -> None:
    model = of(name, channels)
    none, few, many = (npfill.complete(colour(), HOLE, model, count) for count in (0, 2, 5))
    for other in (none, many):
        assert np.array_equal(other.mean, few.mean)
        assert np.array_equal(std_of(other), std_of(few))
    assert np.array_equal(many.samples[:2], few.samples)
    assert none.samples.shape == (0, *colour().shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_samples_differ_from_each_other_and_from_seed_to_seed(name: str) -> None:
    model = of(name, 1)
    one, again, other = (npfill.complete(grey(), HOLE, model, 2, seed) for seed in (0, 0, 1))
    assert_equal(one, again)
    assert not np.array_equal(one.samples[0], one.samples[1])
    assert not np.array_equal(one.samples, other.samples)


@pytest.mark.parametrize("name", ["cnp", "cnp-basis"])
def test_without_a_latent_the_moments_do_not_depend_on_the_seed(name: str) -> None:
    one, other = (npfill.complete(grey(), HOLE, of(name, 1), 0, seed) for seed in (0, 1))
    assert_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_chunks_cannot_be_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = of(name, 1)
    whole = npfill.complete(in_unit(grey()), HOLE, model, samples=1)
    for chunk in (1, 3 * MOMENT_DRAWS):
        monkeypatch.setattr(predictive, "CHUNK", chunk)
        assert_close(npfill.complete(in_unit(grey()), HOLE, model, samples=1), whole)


def every_draw(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Means and scales in the hole of a colour picture for each draw of the moments."""
    model = of(name, 3)
    pixels = torch.from_numpy(in_unit(colour())).permute(2, 0, 1)[None]
    context = Context(pixels, torch.from_numpy(~HOLE)[None, None])
    targets = Targets(torch.from_numpy(np.flatnonzero(HOLE)), SIZE)
    with torch.no_grad():
        latent = model.infer(context)
        z = None if latent is None else draws(latent, 5, "moments", MOMENT_DRAWS)
        predicted = model.predict(model.encode(context), z, targets)
    shape = (-1, int(HOLE.sum()), 3)
    return predicted.mean.reshape(shape), predicted.scale.reshape(shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_mean_and_std_follow_the_law_of_total_variance(name: str) -> None:
    means, scales = (tensor.double().numpy() for tensor in every_draw(name))
    completed = npfill.complete(in_unit(colour()), HOLE, of(name, 3), seed=5)
    within, between = np.square(scales).mean(0), means.var(0)
    assert completed.mean[HOLE] == pytest.approx(means.mean(0).clip(0, 1), abs=1e-5)
    assert std_of(completed)[HOLE] == pytest.approx(np.sqrt(within + between), abs=1e-5)
    assert (len(means) == 1) == (name not in LATENT)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_grey_model_completes_each_colour_channel_as_if_it_were_alone(name: str) -> None:
    model = of(name, 1)
    completed = npfill.complete(colour(), HOLE, model, samples=1)
    assert "each colour channel is completed by itself" in completed.notes[-1]
    for channel in range(3):
        alone = npfill.complete(colour()[..., channel], HOLE, model, samples=1)
        drawn = ["samples"] * model.in_unit  # of channels of data the noise is their own
        for name_of in ("mean", "std", *drawn):
            one, other = getattr(completed, name_of)[..., channel], getattr(alone, name_of)
            np.testing.assert_allclose(one.astype(float), other.astype(float), rtol=1e-5, atol=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_an_rgb_model_completes_a_grey_picture_as_the_luminance_of_its_rgb(name: str) -> None:
    model = of(name, 3)
    completed = npfill.complete(in_unit(grey()), HOLE, model, samples=0)
    as_colour = npfill.complete(in_unit(grey())[..., None].repeat(3, -1), HOLE, model, samples=0)
    if not model.any_size:  # it is trained on grey pictures, too
        assert "the grey picture is completed as RGB" in completed.notes[-1]
    assert not as_colour.notes
    luminance = np.array([0.299, 0.587, 0.114])
    unclipped = (as_colour.mean > 0).all(-1) & (as_colour.mean < 1).all(-1) & HOLE
    assert unclipped.any()
    assert completed.mean[unclipped] == pytest.approx(as_colour.mean[unclipped] @ luminance, 1e-4)
    assert std_of(completed)[HOLE] == pytest.approx(std_of(as_colour)[HOLE] @ luminance, 1e-4)


@pytest.mark.slow
def test_samples_of_a_conditional_model_have_the_std_that_is_stated() -> None:
    # The scales are made so small that next to nothing is clipped to [0, 1].
    model = of("cnp", 3)
    with torch.no_grad():
        last_bias(model)[3:] -= 4
    for picture in (in_unit(grey()), in_unit(colour())):
        completed = npfill.complete(picture, HOLE, model, samples=1000, sampler="independent")
        spread = completed.samples[:, HOLE].std(0)
        assert spread == pytest.approx(std_of(completed)[HOLE], rel=0.1)


SIZES = [(1, 1), (1, 50), (50, 1), (2, 3), (6, 6), (7, 7), (13, 40)]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MODELS)
def test_any_size_is_completed_at_its_own_size(name: str, size: tuple[int, int]) -> None:
    hole = a_hole(size)
    completed = npfill.complete(colour(size), hole, of(name, 3), samples=1)
    assert completed.mean.shape == (*size, 3)
    assert np.isfinite(completed.mean).all()
    assert (std_of(completed)[hole] > 0).all()
    assert np.array_equal(completed.samples[0][~hole], colour(size)[~hole])


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_larger_than_the_model_was_made_for_is_said_so(size: tuple[int, int]) -> None:
    completed = npfill.complete(grey(size), a_hole(size), of("cnp", 1), samples=0)
    notes = [note for note in completed.notes if "everything is selected" not in note]
    if max(size) > 6:
        assert len(notes) == 1
        assert f"is {size[1]}x{size[0]} and the model was made for 6x6" in notes[0]
    else:
        assert not notes


@pytest.mark.slow
def test_of_a_larger_picture_only_the_average_of_what_is_observed_counts() -> None:
    # Each cell of the 6x6 grid is 2x2 pixels, in one of which another value changes nothing if
    # the cell's average stays.
    picture = in_unit(grey((12, 12))) * 0.5 + 0.25
    hole = np.zeros((12, 12), dtype=bool)
    hole[4:8, 4:8] = True
    moved = picture.copy()
    moved[0, 0] += 0.125
    moved[1, 1] -= 0.125
    model = of("anp", 1)
    one, other = (npfill.complete(values, hole, model) for values in (picture, moved))
    assert one.mean[hole] == pytest.approx(other.mean[hole], abs=1e-5)
    assert not np.array_equal(one.mean, other.mean)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_full_hole_is_a_draw_from_the_prior_and_sees_nothing(name: str) -> None:
    everywhere, model = np.ones(SIZE, dtype=bool), of(name, 1)
    one, other = (npfill.complete(p, everywhere, model, 1) for p in (grey(), 255 - grey()))
    assert_equal(one, other)
    assert np.isfinite(one.mean).all()


@pytest.mark.slow
def test_a_model_may_be_of_double_precision() -> None:
    double = npfill.complete(in_unit(colour()), HOLE, of("anp", 3).double())
    assert_close(double, npfill.complete(in_unit(colour()), HOLE, of("anp", 3)))


def test_samples_that_were_not_drawn_are_not_saved_and_it_is_said_why(tmp_path: Path) -> None:
    completed = npfill.complete(grey(), HOLE, of("cnp", 1), samples=0)
    with pytest.raises(UsageError, match="`samples=0` draws no samples"):
        completed.save(tmp_path, emit="fill")


def refusal_of(picture: Any, hole: Any, **options: Any) -> NpfillError:
    with pytest.raises(NpfillError) as refusal:
        npfill.complete(picture, hole, of("cnp", 1), **options)
    assert refusal.value.hint
    return refusal.value


def test_an_empty_hole_is_refused() -> None:
    refusal = refusal_of(grey(), np.zeros(SIZE, dtype=bool))
    assert isinstance(refusal, InputError)
    assert "selects 0 px" in str(refusal)


def test_an_empty_picture_is_refused() -> None:
    assert isinstance(refusal_of(grey((0, 4)), np.zeros((0, 4), dtype=bool)), InputError)


@pytest.mark.parametrize("shape", [(6, 5), (5, 5), (1, 1)])
def test_a_mask_of_another_size_is_refused(shape: tuple[int, int]) -> None:
    refusal = refusal_of(grey(), np.ones(shape, dtype=bool))
    assert isinstance(refusal, InputError)
    assert str(refusal) == f"the mask is {shape[1]}x{shape[0]} but the picture is 6x5"


MASKS: dict[str, Any] = {
    "bytes": HOLE.astype(np.uint8) * 255,
    "floats": HOLE.astype(float),
    "integers": HOLE.astype(int),
    "a channel": HOLE[..., None],
    "a tensor": torch.from_numpy(HOLE),
    "an image": Image.fromarray(HOLE),
    "a list": HOLE.tolist(),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MASKS)
def test_every_form_of_a_mask_gives_the_same_completion(kind: str) -> None:
    model = of("cnp", 1)
    expected = npfill.complete(grey(), HOLE, model)
    found = npfill.complete(grey(), MASKS[kind], model)
    assert_equal(found, expected)
    assert np.array_equal(found.hole, HOLE)


def test_a_mask_of_bytes_that_are_zero_and_one_is_refused_as_on_the_command_line() -> None:
    refusal = refusal_of(grey(), HOLE.astype(np.uint8))
    assert "brightest value is 1 of 255" in str(refusal)
    assert "`mask_threshold=1`" in refusal.hint
    completed = npfill.complete(grey(), HOLE.astype(np.uint8), of("cnp", 1), mask_threshold=1)
    assert np.array_equal(completed.hole, HOLE)


@pytest.mark.parametrize("shape", [(5,), (1, 5, 6, 3)])
def test_a_picture_of_one_or_four_axes_is_refused(shape: tuple[int, ...]) -> None:
    assert isinstance(refusal_of(np.zeros(shape, np.float32), HOLE), InputError)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_observed_value_that_is_infinite_is_refused(value: float) -> None:
    picture = in_unit(grey()).astype(np.float64)
    picture[0, 0] = value
    refusal = refusal_of(picture, HOLE)
    assert isinstance(refusal, InputError)
    assert "infinite or too far apart" in str(refusal)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["uint16", "int16", "float32 of kelvin", "five channels"])
def test_data_keep_their_type_unit_and_values(kind: str) -> None:
    picture = {
        "uint16": colour().astype(np.uint16) * 200,
        "int16": grey().astype(np.int16) - 100,
        "float32 of kelvin": in_unit(grey()) * 10 + 285,
        "five channels": np.random.default_rng(3).random((*SIZE, 5)) * 7 - 3,
    }[kind]
    completed = npfill.complete(picture, HOLE, of("cnp", 1), samples=1)
    assert completed.mean.dtype == picture.dtype
    assert completed.mean[~HOLE].tobytes() == picture[~HOLE].tobytes()
    observed = picture[~HOLE]
    assert completed.mean.min() >= observed.min()
    assert completed.mean.max() <= observed.max()
    assert std_of(completed).dtype.kind == "f"
    assert (std_of(completed)[HOLE] > 0).all()


@pytest.mark.slow
def test_what_is_nan_or_masked_is_missing() -> None:
    picture = in_unit(grey()) * 3
    given = npfill.complete(picture, HOLE, of("cnp", 1))
    for lacking in (np.where(HOLE, np.nan, picture), np.ma.masked_array(picture, HOLE)):
        assert_equal(npfill.complete(lacking, model=of("cnp", 1)), given)
    assert str(refusal_of(picture, None)) == "nothing says what is missing, and no value is NaN"


@pytest.mark.parametrize("options", [{"sampler": "independent"}, {"model": "kriging"}])
def test_samples_of_planes_are_drawn_each_by_itself_and_of_colours_together(
    options: dict[str, Any],
) -> None:
    if "model" in options:
        pytest.importorskip("scipy")
    size, asked = (16, 16), {"model": of("cnp", 1), "samples": 8, "check": False, **options}
    plane, hole = grey(size).astype(np.float64) - 100, a_hole(size)
    stack, masks = np.stack([plane, plane], axis=-1), np.stack([hole] * 3, axis=-1)
    done, alone = npfill.complete(stack, hole, **asked), npfill.complete(plane, hole, **asked)
    assert np.array_equal(done.samples[..., 0], alone.samples)
    away = (done.samples - done.mean)[:, hole]
    assert abs(np.corrcoef(away[..., 0].ravel(), away[..., 1].ravel())[0, 1]) < 0.15
    masks[-1, -1, 2] = False  # each colour by itself
    colours = npfill.complete(np.stack([grey(size)] * 3, axis=-1), masks, **asked)
    near = (colours.samples.astype(float) - colours.mean)[:, hole][:, :-1]
    assert np.corrcoef(near[..., 0].ravel(), near[..., 1].ravel())[0, 1] > 0.99


@pytest.mark.slow
def test_each_channel_may_have_a_mask_of_its_own() -> None:
    model, masks = of("cnp", 1), np.stack([HOLE, ~HOLE, HOLE], axis=-1)
    completed = npfill.complete(colour(), masks, model, samples=1)
    assert np.array_equal(completed.hole, masks)
    assert np.array_equal(completed.mean[~masks], colour()[~masks])
    for channel in range(3):
        alone = npfill.complete(colour()[..., channel], masks[..., channel], model, samples=1)
        assert np.array_equal(alone.mean, completed.mean[..., channel])
        assert np.array_equal(alone.samples, completed.samples[..., channel])


@pytest.mark.slow
def test_boxes_and_the_options_of_a_mask_select_as_on_the_command_line() -> None:
    model = of("cnp", 1)
    box = npfill.complete(grey(), model=model, box=(2, 1, 3, 3))
    assert np.array_equal(box.hole, HOLE)
    two = npfill.complete(grey(), model=model, box=[(2, 1, 3, 3), (0, 0, 1, 1)])
    assert two.hole.sum() == HOLE.sum() + 1
    grown = npfill.complete(grey(), HOLE, model, grow=1)
    assert grown.hole.sum() == 5 * 5
    inverted = npfill.complete(grey(), HOLE, model, invert_mask=True)
    assert np.array_equal(inverted.hole, ~HOLE)


def test_alpha_is_kept_and_does_not_count() -> None:
    model, opaque = of("cnp", 1), Image.fromarray(grey())
    transparent = opaque.copy().convert("LA")
    transparent.putalpha(Image.fromarray(255 - grey()))
    completed = npfill.complete(transparent, HOLE, model)
    expected = npfill.complete(opaque, HOLE, model)
    assert np.array_equal(completed.mean[..., 0], expected.mean)
    assert np.array_equal(completed.mean[..., 1], 255 - grey())


@wrong_types
def test_no_box_may_be_said_and_boxes_may_be_rows_of_an_array() -> None:
    hole = npfill.complete(grey(), HOLE, "nearest", box=None).hole
    assert np.array_equal(hole, HOLE)
    rows = np.array([(2, 1, 3, 3), (0, 0, 1, 1)])
    assert npfill.complete(grey(), None, "nearest", box=rows.tolist()).hole.sum() == 10
    given: Any
    for given in (rows, iter(rows)):
        assert npfill.complete(grey(), None, "nearest", box=given).hole.sum() == 10


@wrong_types
@pytest.mark.parametrize("options", [{"emit": ["mean"]}, {"emit": 3}, {"name": 3}])
def test_what_is_to_be_saved_is_said_in_words(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a text"):
        npfill.complete(grey(), HOLE, "nearest").save(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@wrong_types
@pytest.mark.parametrize(
    "options",
    [
        {"samples": -1},
        {"device": "tpu"},
        {"device": None},
        {"kind": None},
        {"box": 5},
        {"mask_label": 1.5},
    ],
)
def test_what_cannot_be_asked_for_is_a_usage_error(options: dict[str, Any]) -> None:
    assert isinstance(refusal_of(grey(), HOLE, **options), UsageError)


def test_a_model_that_predicts_no_numbers_is_refused() -> None:
    model = of("np", 1)
    with torch.no_grad():
        last_bias(model)[:] = float("nan")
    with pytest.raises(ModelError, match="predictions are not finite"):
        npfill.complete(grey(), HOLE, model)


def test_a_model_for_pictures_of_two_channels_is_refused() -> None:
    with pytest.raises(ModelError, match="pictures of 2 channels"):
        npfill.complete(grey(), HOLE, of("cnp", 2))


def test_an_unknown_model_is_refused_by_its_name() -> None:
    with pytest.raises(NpfillError, match="no model is called 'nonesuch'"):
        npfill.complete(grey(), HOLE, "nonesuch")


def test_a_completion_is_none_of_the_callers_memory() -> None:
    buffer = np.full((12, 14, 3), 200, np.uint8)
    hole = np.zeros((12, 14), bool)
    hole[4:6, 4:6] = True
    completion = npfill.complete(buffer, hole, of("cnp", 3), samples=1)
    buffer[:] = 10
    completion.hole[:] = False
    mean = np.asarray(completion.mean)
    assert (mean[~hole] == 200).all()
    assert not (mean[hole] == 200).all()


def test_tensors_have_their_channels_first_or_last() -> None:
    last = torch.rand(12, 14, 3)
    first = last.permute(2, 0, 1)
    one, other = (
        npfill.complete(each, box=(2, 2, 3, 3), model=of("cnp", 3), samples=0)
        for each in (last, first)
    )
    assert one.mean.shape == (12, 14, 3)
    assert np.array_equal(np.moveaxis(np.asarray(other.mean), 0, -1), one.mean)


@wrong_types
def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (12, 14), dtype=np.uint8)
    hole = np.zeros((12, 14), bool)
    hole[4:6, 4:6] = True
    files = []
    for given in (np.float32, float):
        numbers: dict[str, Any] = {
            "tolerance": given(30),
            "confidence": given(0.5),
            "max_distance": given(4),
        }
        numbers |= {"seed": np.int64(1), "grow": np.int64(1)}
        numbers["inner"] = np.bool_(True) if given is np.float32 else True
        done = npfill.complete(picture, hole, of("cnp", 1), samples=1, check=False, **numbers)
        folder = tmp_path / given.__name__
        done.save(folder)
        files.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert files[0] == files[1]


@wrong_types
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("seed", "x"),
        ("seed", None),
        ("seed", 1.5),
        ("seed", np.arange(2)),
        ("samples", -1),
        ("samples", "3"),
        ("grow", "x"),
        ("nodata", "x"),
        ("rounds", 0),
        ("max_distance", np.inf),
        ("max_distance", "far"),
        ("mask_threshold", "x"),
        ("max_pixels", "x"),
    ],
)
def test_numbers_that_the_command_does_not_take_are_refused(name: str, value: Any) -> None:
    options = {name: value}
    with pytest.raises(UsageError, match=re.escape(f"`{name}={value}`")) as refusal:
        npfill.complete(np.zeros((9, 9), np.uint8), box="1,1,2,2", model=of("cnp", 1), **options)
    assert "number" in refusal.value.hint


def test_what_torch_is_set_to_is_left_and_does_no_harm() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        model = build("cnp", of("cnp", 1).config)
    finally:
        torch.set_default_dtype(before)
    assert next(model.parameters()).dtype == torch.float32
    correlated = of("cnp", 3)
    correlated.correlation = (0.9, 0.8, 0.7)
    for picture, model in ((grey(), of("cnp", 1)), (colour(), correlated)):
        with torch.autocast("cpu", torch.bfloat16):
            within = npfill.complete(picture, HOLE, model)
        assert_equal(within, npfill.complete(picture, HOLE, model))
    network.cache_clear()
    torch.manual_seed(3)
    with torch.autocast("cpu", torch.bfloat16):
        npfill.mask.scratches(np.zeros((40, 40, 3), np.uint8))
    assert torch.rand(1) == wanted
