"""Samples with texture of the picture's own: what they are held to, and by what."""

import numpy as np
import pytest
import torch
from torch import Tensor

import npfill
from npfill.completion.completed import CompletedPicture
from npfill.context import Context, Targets
from npfill.errors import InputError, UsageError
from npfill.gaussian import Gaussian
from npfill.sampling import Exemplar
from npfill.sampling.details import strengthened
from npfill.sampling.exemplar import NARROW
from npfill.sampling.scales import spread_into
from npfill.seeds import generator
from npfill.steps import told
from tests.conftest import of, tiny

SIDE = 56


def a_hole(side: int = 14, corner: int = 20) -> Tensor:
    hole = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    hole[corner : corner + side, corner : corner + side] = True
    return hole


def stripes(channels: int = 3) -> Tensor:
    """Slanted stripes with a little noise."""
    row, column = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    waves = 0.5 + 0.3 * torch.sin((2 * row + 3 * column) * 0.3)
    noise = 0.02 * torch.randn(channels, SIDE, SIDE, generator=generator("stripes"))
    return (waves + noise).clamp(0, 1)


def predicted(picture: Tensor, std: float = 0.2) -> Gaussian:
    """A model that knows nothing of the stripes."""
    return Gaussian(torch.full_like(picture, 0.5), torch.full_like(picture, std))


def drawn(picture: Tensor, hole: Tensor, std: float = 0.2, count: int = 1, seed: int = 0) -> Tensor:
    return Exemplar().complete(picture, hole, predicted(picture, std), seed, range(count)).samples


@pytest.mark.slow
@pytest.mark.parametrize("side", [14, NARROW - 1])
def test_a_sample_depends_on_the_seed_and_its_number_alone(side: int) -> None:
    picture, hole = stripes(), a_hole(side)
    few, many = (drawn(picture, hole, count=count) for count in (2, 4))
    assert torch.equal(few, many[:2])
    assert not torch.equal(few[0], few[1])
    assert not torch.equal(few, drawn(picture, hole, count=2, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("side", [14, NARROW - 1])
def test_what_lies_in_the_hole_is_never_read(side: int) -> None:
    picture, hole = stripes(), a_hole(side)
    spoiled = torch.where(hole, torch.nan, picture)
    assert torch.equal(drawn(spoiled, hole), drawn(picture, hole))


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("corner", [0, 20, SIDE - 14])
def test_texture_goes_on_where_the_mean_is_flat(channels: int, corner: int) -> None:
    picture, hole = stripes(channels), a_hole(corner=corner)
    error = (drawn(picture, hole)[0] - picture[:, hole].T).square().mean()
    flat = (0.5 - picture[:, hole]).square().mean()
    assert error < 0.2 * flat


@pytest.mark.slow
def test_a_pattern_goes_on_with_its_period() -> None:
    tile = torch.rand(3, 9, 7, generator=generator("tile"))
    picture, hole = tile.repeat(1, 7, 8)[:, :SIDE, :SIDE], a_hole(20, 18)
    error = (drawn(picture, hole)[0] - picture[:, hole].T).square().mean()
    assert error < 0.05 * picture.var()


@pytest.mark.slow
def test_where_the_mean_is_sure_a_sample_is_the_mean() -> None:
    picture, hole = stripes(), a_hole()
    assert (drawn(picture, hole, std=1e-3) - 0.5).abs().max() < 0.01


@pytest.mark.slow
def test_patches_are_taken_from_where_it_is_allowed() -> None:
    picture = stripes()
    picture[:, :, 40:] = 1.0  # close to the hole, but not allowed
    hole, allowed = a_hole(), torch.ones(SIDE, SIDE, dtype=torch.bool)
    allowed[:, 40:] = False
    one = Exemplar(allowed).complete(picture, hole, predicted(picture), 0, range(1))
    picture[:, :, 44:] = 0.0
    other = Exemplar(allowed).complete(picture, hole, predicted(picture), 0, range(1))
    assert torch.equal(one.samples, other.samples)


@pytest.mark.slow
def test_a_narrow_hole_has_the_grain_of_the_picture_in_all_channels_alike() -> None:
    noise = 0.05 * torch.randn(SIDE, SIDE, generator=generator("grain"))
    picture = (0.5 + noise).expand(3, -1, -1)
    grain = drawn(picture, a_hole(NARROW - 1), count=30).flatten(0, 1) - 0.5
    assert 0.4 < grain.std() / noise.std() < 1.1
    assert torch.corrcoef(grain.T).min() > 0.9
    smooth = torch.full((3, SIDE, SIDE), 0.5)
    assert (drawn(smooth, a_hole(NARROW - 1)) - 0.5).abs().max() < 1e-3


def test_grain_is_nowhere_stronger_than_the_std() -> None:
    picture = torch.rand(3, SIDE, SIDE, generator=generator("grain"))
    moment = Gaussian(torch.full_like(picture, 0.5), torch.full_like(picture, 0.01))
    drawn_ = Exemplar().complete(picture, a_hole(NARROW - 1), moment, 0, range(30)).samples
    assert float((drawn_ - 0.5).std()) == pytest.approx(0.01, rel=0.2)


def test_weak_details_are_made_about_as_strong_as_those_around_and_strong_ones_stay() -> None:
    noise = 0.05 * torch.randn(1, 96, 96, generator=generator("details"))
    hole = torch.zeros(96, 96, dtype=torch.bool)
    hole[36:60, 36:60] = True
    found = []
    for own in (2.0, 0.6, 0.1):
        painted = 0.5 + torch.where(hole, own * noise, noise)
        shown = strengthened(painted, hole, ~hole)[:, 0] - 0.5
        found.append(float(shown.std() / (own * noise[0, hole]).std()))
    assert found[0] == pytest.approx(1, abs=0.02)
    assert 1.3 < found[1] < 1.75
    assert found[1] < found[2] < 4


def test_too_little_to_draw_from_is_said() -> None:
    picture, hole = stripes(), ~a_hole()
    found = Exemplar().complete(picture, hole, predicted(picture), 0, range(2))
    assert "mean with grain" in found.notes[0]
    assert found.samples.isfinite().all()
    assert not torch.equal(*found.samples)


@pytest.mark.slow
def test_a_wide_hole_is_told() -> None:
    picture = stripes(1)
    narrow, wide = (
        Exemplar().complete(picture, a_hole(side, 6), predicted(picture), 0, range(1))
        for side in (20, 34)
    )
    assert narrow.notes == ()
    assert "sample 1 is a picture to keep" in wide.notes[0]


@pytest.mark.slow
def test_a_batch_is_drawn_as_its_pictures_are_alone() -> None:
    pixels = torch.stack([stripes(2), stripes(2).flip(1)])
    observed = ~a_hole().expand(2, 1, -1, -1)
    model = tiny("convcnp").float()
    targets = Targets(a_hole().flatten().nonzero()[:, 0], (SIDE, SIDE))

    def samples(rows: slice) -> Tensor:
        given = model.condition(Context(pixels[rows], observed[rows]))
        moments = Gaussian(*(0.5 * torch.ones(2, len(targets.index), 2)[rows] for _ in range(2)))
        return Exemplar().sample(given, targets, 0, 2, moments)

    both = samples(slice(2))
    for number in range(2):
        assert torch.equal(samples(slice(number, number + 1))[:, 0], both[:, number])


@pytest.mark.slow
def test_a_model_of_grey_pictures_gives_colour_samples_of_whole_patches() -> None:
    picture = stripes().permute(1, 2, 0).numpy()
    found = npfill.complete(picture, a_hole().numpy(), of("cnp", 1), 2, sampler="exemplar")
    inside = found.samples[:, a_hole().numpy()]
    assert np.corrcoef(inside[0].T).min() > 0.9  # the channels of a stripe are alike
    assert not np.array_equal(*found.samples)


@pytest.mark.slow
def test_progress_is_told_up_to_the_whole() -> None:
    heard: list[tuple[int, int]] = []
    with told(lambda done, total: heard.append((done, total))):
        drawn(stripes(), a_hole(), count=2)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1][0] == heard[-1][1]


@pytest.mark.slow
def test_wide_holes_are_told_to_be_none_for_autoregressive_samples_of_photographs() -> None:
    picture = stripes().permute(1, 2, 0).numpy()

    def notes(side: int) -> tuple[str, ...]:
        hole = a_hole(side, 6).numpy()
        return npfill.complete(
            picture, hole, of("convcnp", 3), 1, sampler="autoregressive", rounds=1, check=False
        ).notes

    assert not any("run off" in note for note in notes(20))
    assert any("run off" in note for note in notes(34))


def test_what_is_known_is_spread_however_far() -> None:
    known = torch.zeros(1, 3, 700)
    known[..., 0] = 1.0
    spread = spread_into(torch.full((1, 3, 700), 0.25), known, 3)
    assert spread.numpy() == pytest.approx(0.25, abs=1e-5)


@pytest.mark.slow
def test_a_mask_says_where_patches_are_taken_from() -> None:
    picture, hole = stripes(), a_hole()
    allowed = torch.ones(SIDE, SIDE, dtype=torch.bool)
    allowed[:, 40:] = False
    pixels, model = picture.permute(1, 2, 0).numpy(), of("cnp", 3)

    def completed(where: Tensor | None) -> CompletedPicture:
        return npfill.complete(
            pixels,
            hole.numpy(),
            model,
            1,
            sampler="exemplar",
            check=False,
            draw_from=where,
        ).completed

    done, anywhere = completed(allowed), completed(None)
    assert done.std is not None
    mean, std = (torch.from_numpy(each).permute(2, 0, 1) for each in (done.mean, done.std))
    wanted = Exemplar(allowed).complete(picture, hole, Gaussian(mean, std), 0, range(1)).samples
    assert np.array_equal(done.samples[0][hole.numpy()], wanted[0].numpy())
    assert not np.array_equal(done.samples, anywhere.samples)


def test_only_patches_can_be_drawn_from_a_part_of_the_picture() -> None:
    picture, hole = stripes().permute(1, 2, 0).numpy(), a_hole().numpy()
    with pytest.raises(UsageError, match="draw_from"):
        npfill.complete(picture, hole, of("cnp", 3), 1, draw_from=~hole)
    with pytest.raises(InputError, match="selects 0 px"):
        npfill.complete(picture, hole, of("cnp", 3), 1, sampler="exemplar", draw_from=hole & ~hole)


def test_patches_from_far_away_have_no_strength_to_lend() -> None:
    picture = torch.rand(3, 224, 224, generator=generator("far"))
    hole, allowed = torch.zeros(2, 224, 224, dtype=torch.bool)
    hole[190:214, 190:214], allowed[:100, :100] = True, True
    moment = Gaussian(torch.full_like(picture, 0.5), torch.full_like(picture, 0.2))
    samples = Exemplar(allowed).complete(picture, hole, moment, 0, range(1)).samples
    assert samples.isfinite().all()


def test_grain_is_that_of_what_is_seen_and_not_of_what_stands_in_for_the_rest() -> None:
    random = np.random.default_rng(0)
    picture = (120 + 12 * random.standard_normal((96, 96))).clip(0, 255).astype(np.uint8)
    hole, out = np.zeros((2, 96, 96), bool)
    hole[:, 47:50], out[:, 36:47], out[:, 50:61] = True, True, True
    done = npfill.complete(
        picture, hole, of("convcnp", 1), 1, sampler="exemplar", check=False, keep_out=out
    )
    grain = done.samples[0][hole].astype(float) - np.asarray(done.mean)[hole]
    assert 6 < grain.std() < 20
