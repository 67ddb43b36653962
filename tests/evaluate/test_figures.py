"""Figures: which pixels are observed, what is predicted, and what the files hold."""

import io
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from npfill.context import Context
from npfill.data.holes import random_pixels
from npfill.errors import UsageError
from npfill.evaluate import reveal
from npfill.evaluate.contexts import kind
from npfill.evaluate.fields import known
from npfill.evaluate.figures import on_grid, row_of, samples_figure, whole_samples
from npfill.models import NeuralProcess
from npfill.models.lawful import network_alone
from npfill.pictures.picture import intensities
from npfill.predictor import load
from npfill.sampling import SAMPLERS, Autoregressive, Independent, Sampler, sampler_for
from npfill.seeds import array_generator, generator
from tests.conftest import MODELS, of, tiny

BLUE = (64, 96, 224)
# A picture of 6 pixels is shown so many times larger.
FACTOR = 27


@pytest.fixture(params=MODELS)
def grey_model(request: pytest.FixtureRequest) -> NeuralProcess:
    """Each tiny model in turn, for grey pictures."""
    return of(request.param, channels=1)


def a_picture(height: int = 6, width: int = 6, channels: int = 1) -> Image.Image:
    shape = (height, width, 3) if channels == 3 else (height, width)
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(values)


def a_context(share: float = 0.5) -> Context:
    observed = torch.rand(1, 1, 6, 6, generator=generator("observed")) < share
    return Context(torch.rand(1, 1, 6, 6, generator=generator("pixels")), observed)


def blue_pixels(image: Image.Image) -> int:
    return int((np.asarray(image.convert("RGB")) == BLUE).all(-1).sum())


@pytest.mark.parametrize("size", [(6, 6), (4, 7), (9, 2)])
def test_as_many_pixels_are_observed_as_said(size: tuple[int, int]) -> None:
    for count in (1, 5, size[0] * size[1]):
        observed = kind(f"random:{count}").observed(1, size, 3)[0, 0]
        assert observed.shape == size
        assert observed.sum() == count


def test_a_square_picture_has_the_mask_of_the_protocol() -> None:
    expected = random_pixels(1, 28, 50, generator(0, "mask", 50))[0, 0]
    assert (kind("random:50").observed(1, (28, 28), 0)[0, 0] == expected).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_cut_to_its_centre_square_on_the_grid(channels: int) -> None:
    wide = Image.new("RGB", (60, 20), "black")
    wide.paste("white", (20, 0, 40, 20))
    square = on_grid(wide, 10, channels)
    assert (square.size, square.mode) == ((10, 10), "L" if channels == 1 else "RGB")
    assert (np.asarray(square) > 230).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in SAMPLERS if kind != "flow"])
def test_a_sample_depends_on_the_seed_and_its_number_alone(
    grey_model: NeuralProcess, kind: str
) -> None:
    if kind == "latent" and not grey_model.has_latent:
        pytest.skip("the model has no z")
    how = sampler_for(grey_model, kind, rounds=4 if kind == "autoregressive" else None)
    few, many = (whole_samples(grey_model, a_context(), how, count, 5) for count in (2, 7))
    assert np.array_equal(few, many[:2])
    assert not np.allclose(few, whole_samples(grey_model, a_context(), how, 2, 6))


def test_samples_show_the_prediction_at_observed_pixels_too(
    grey_model: NeuralProcess,
) -> None:
    context = a_context(share=1.0)
    (sample,) = whole_samples(grey_model, context, sampler_for(grey_model), 1, 0)
    assert sample.shape == (6, 6, 1)
    assert (sample[..., 0] != context.pixels[0, 0].numpy()).any()


@pytest.mark.slow
def test_a_samples_figure_has_a_column_per_count_and_sampler_and_a_row_per_sample(
    grey_model: NeuralProcess,
) -> None:
    def figure(counts: list[int], samples: int, *samplers: Sampler) -> Image.Image:
        return samples_figure(grey_model, a_picture(), counts, samplers, samples, 0)

    one = figure([36], 1, Independent())
    wider, taller = figure([36, 4], 1, Independent()), figure([36], 3, Independent())
    assert wider.width - one.width == 6 * FACTOR + 8
    assert taller.height - one.height == 2 * (6 * FACTOR + 8)
    assert blue_pixels(one) == 0
    assert blue_pixels(wider) == 32 * FACTOR**2
    both = figure([4], 1, Independent(), Autoregressive(2))
    assert blue_pixels(both) == 2 * 32 * FACTOR**2


@pytest.mark.parametrize(
    ("pixels", "frames"), [(2, 2), (30, 24), (30, 30), (784, 24), (784, 2), (43_520, 24)]
)
def test_more_pixels_are_revealed_in_each_frame_until_all_are(pixels: int, frames: int) -> None:
    counts = reveal.revealed_counts(pixels, frames)
    assert len(counts) == frames
    assert counts[0] == max(1, round(pixels / 1000))
    assert counts[-1] == pixels
    assert all(few < more for few, more in pairwise(counts))


def test_where_pixels_are_many_each_frame_reveals_the_same_factor() -> None:
    counts = np.array(reveal.revealed_counts(1_000_000, 13))
    assert counts[1:] / counts[:-1] == pytest.approx(1000 ** (1 / 12), rel=1e-2)


def test_a_picture_has_no_more_frames_than_pixels() -> None:
    with pytest.raises(UsageError, match="30 pixels"):
        reveal.revealed_counts(30, 31)
    with pytest.raises(UsageError) as refusal:
        reveal.revealed_counts(1, 2)
    assert "larger" in refusal.value.hint


@pytest.mark.slow
def test_what_is_revealed_stays_revealed_and_is_certain(grey_model: NeuralProcess) -> None:
    picture, counts = intensities(a_picture(5, 7)), [1, 4, 20, 35]
    frames = list(reveal.frames(grey_model, picture, counts, 0))
    assert [frame.observed.sum() for frame in frames] == counts
    for frame, later in pairwise(frames):
        assert (later.observed | ~frame.observed).all()
    for frame in frames:
        assert (frame.mean[frame.observed] == picture[frame.observed]).all()
        assert (frame.std[frame.observed] == 0).all()
        assert (frame.std[~frame.observed] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "of_model"), [(1, 1), (3, 3), (3, 1)])
@pytest.mark.parametrize("name", ["cnp", "np", "anp"])
def test_a_small_picture_is_revealed_as_it_is_completed(
    name: str, channels: int, of_model: int
) -> None:
    model, picture = tiny(name, channels=of_model).float(), intensities(a_picture(5, 6, channels))
    (frame,) = reveal.frames(model, picture, [12], 4)
    completion = row_of(
        "", picture, ~frame.observed, load(model).predict(picture, ~frame.observed, seed=4)
    )
    np.testing.assert_allclose(frame.mean, completion.mean, rtol=1e-4, atol=1e-5)
    assert completion.std is not None
    np.testing.assert_allclose(frame.std, completion.std, rtol=1e-4, atol=1e-5)


def test_a_model_for_colours_reveals_a_grey_picture_in_colours() -> None:
    model, picture = tiny("anp", channels=3).float(), intensities(a_picture())
    (frame,) = reveal.frames(model, picture, [12], 0)
    assert frame.mean.shape == frame.std.shape == (6, 6, 3)
    assert (frame.mean[frame.observed] == picture[frame.observed]).all()


def test_a_large_picture_is_predicted_on_a_coarser_grid() -> None:
    model, picture = tiny("anp", channels=1).float(), intensities(a_picture(30, 60))
    assert reveal.grid_of((30, 60), model) == (6, 12)
    assert reveal.grid_of((12, 5), model) == (12, 5)
    (frame,) = reveal.frames(model, picture, [100], 0)
    assert frame.mean.shape == frame.std.shape == (30, 60, 1)
    assert np.isfinite(frame.mean).all()


def test_a_picture_is_scaled_down_but_never_up() -> None:
    assert reveal.scaled_down(a_picture(300, 150), 100).size == (50, 100)
    assert reveal.scaled_down(a_picture(30, 20), 100).size == (20, 30)
    assert reveal.scaled_down(Image.new("LA", (3, 3)), 100).mode == "L"
    assert reveal.scaled_down(Image.new("RGBA", (3, 3)), 100).mode == "RGB"


@pytest.mark.slow
def test_an_animation_shows_each_frame_and_holds_the_last() -> None:
    model, picture = tiny("cnp", channels=1).float(), intensities(a_picture())
    counts = reveal.revealed_counts(36, 10)
    pictures = reveal.drawn(picture, list(reveal.frames(model, picture, counts, 0)))
    content = reveal.webp_bytes(pictures, "what made it")
    with Image.open(io.BytesIO(content)) as animation:
        durations = []
        for number, count in enumerate(counts):
            animation.seek(number)
            assert animation.convert("RGB").tobytes() == pictures[number].tobytes()
            assert blue_pixels(animation) == (36 - count) * FACTOR**2
            durations.append(animation.info["duration"])
        assert getattr(animation, "n_frames") == len(counts)  # noqa: B009 - only animations have it
        assert animation.info["loop"] == 0
        assert "what made it" in animation.getexif().values()
    assert durations[-1] > durations[0]
    assert len(set(durations[:-1])) == 1


@pytest.mark.parametrize("size", [(1, 40), (40, 1)])
def test_frames_of_a_narrow_picture_are_of_one_size_with_the_whole_caption(
    size: tuple[int, int],
) -> None:
    model, picture = tiny("cnp", channels=1).float(), intensities(a_picture(*size))
    pictures = reveal.drawn(picture, list(reveal.frames(model, picture, [1, 10, 40], 0)))
    assert len({frame.size for frame in pictures}) == 1
    assert all((np.asarray(frame)[:, -4:] == 255).all() for frame in pictures)


@pytest.mark.parametrize("by", ["random", "next"])
def test_no_law_is_followed_where_the_model_chose_what_is_revealed(by: str) -> None:
    field = known.draw("squared-exponential", 4.0, 24, 1, array_generator(0))[0]
    picture = ((field - field.min()) / np.ptp(field)).astype(np.float32)[..., None]
    model = tiny("convcnp-field", channels=1).float()
    (found,) = reveal.frames(model, picture, [200], 0, by)
    with network_alone():
        (alone,) = reveal.frames(model, picture, [200], 0, by)
    assert np.array_equal(found.std, alone.std) == (by == "next")
