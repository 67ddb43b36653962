"""Samplers: what every one of them must satisfy, whatever the variant."""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

import npfill
from npfill.context import Context, Targets
from npfill.errors import UsageError
from npfill.evaluate.predictions import GridModel
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned
from npfill.models.lawful import network_alone
from npfill.sampling import (
    SAMPLERS,
    Autoregressive,
    Independent,
    Latent,
    Sampler,
    moments,
    sampler_for,
)
from npfill.sampling.autoregressive import Index, Values, order, roll_out, round_sizes
from npfill.sampling.base import Paths
from npfill.sampling.predictive import bounded
from npfill.seeds import generator
from tests.conftest import MODELS, last_bias, of, tiny

Model = NeuralProcess
SIZE = (5, 6)
NAMES = ("cnp", "cnp-basis", "lcnp-basis", "np-local", "anp")
CASES = [
    (name, kind)
    for name in NAMES
    for kind in SAMPLERS
    if kind != "flow" and (kind != "latent" or "cnp" not in name[:3])
]


def a_context(batch: int = 2, share: float = 0.3) -> Context:
    """Pictures of two channels, one mask for all."""
    pixels = torch.rand(batch, 2, *SIZE, generator=generator("pixels"), dtype=torch.float64)
    seen = torch.rand(1, 1, *SIZE, generator=generator("seen")) < share
    return Context(pixels, seen.expand(batch, -1, -1, -1))


def sampler(kind: str, rounds: int = 16, noise: bool = False) -> Sampler:
    """The sampler with those of the options that it has."""
    options = {"rounds": rounds, "noise": noise}
    names = {field.name for field in fields(SAMPLERS[kind])}
    return SAMPLERS[kind](**{key: value for key, value in options.items() if key in names})


def drawn(model: Model, context: Context, how: Sampler, count: int = 2, seed: int = 0) -> Tensor:
    return how.sample(model.condition(context), Targets.every(SIZE), seed, count)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_sample_k_depends_on_the_seed_and_k_alone(name: str, kind: str, noise: bool) -> None:
    model, how = of(name, 2).double(), sampler(kind, 3, noise)
    few, many = (drawn(model, a_context(), how, count) for count in (2, 7))
    assert torch.equal(many[:2], few)
    assert not torch.equal(few[0], few[1])
    assert not torch.equal(few, drawn(model, a_context(), how, 2, seed=1))
    assert len(drawn(model, a_context(), how, 0)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_batch_is_drawn_as_its_members_are_alone(name: str, kind: str) -> None:
    model, how, both = of(name, 2).double(), sampler(kind, 4), a_context()
    together = drawn(model, both, how)
    for number in range(2):
        alone = Context(both.pixels[number : number + 1], both.observed[number : number + 1])
        torch.testing.assert_close(drawn(model, alone, how)[:, 0], together[:, number])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_what_is_under_the_hole_is_never_read(name: str, kind: str) -> None:
    model, how, context = of(name, 2).double(), sampler(kind, 4), a_context()
    spoiled = Context(torch.where(context.observed, context.pixels, float("nan")), context.observed)
    assert torch.equal(drawn(model, spoiled, how), drawn(model, context, how))


@pytest.mark.parametrize("name", NAMES)
def test_with_everything_observed_an_autoregressive_sample_is_the_prediction(name: str) -> None:
    model, context = of(name, 2).double(), a_context(share=1.0)
    found = drawn(model, context, Autoregressive())
    if model.has_latent:
        torch.testing.assert_close(found, drawn(model, context, Latent()))
    else:
        predicted = model.condition(context).predict(None, Targets.every(SIZE))
        torch.testing.assert_close(found, predicted.mean.expand(2, -1, -1, -1))


@pytest.mark.parametrize("name", NAMES)
def test_with_noise_the_draws_that_were_fed_back_are_the_sample(name: str) -> None:
    """In one round nothing was fed back before: the draws are those of the pixels by themselves."""
    model, context = of(name, 2).double(), a_context()
    how = Autoregressive(1, noise=True)
    found, hole = drawn(model, context, how), ~context.mask()[0]
    assert found.min() >= 0
    assert found.max() <= 1
    torch.testing.assert_close(found[:, :, ~hole], context.values()[:, ~hole].expand(2, -1, -1, -1))
    other = Latent(noise=True) if model.has_latent else Independent()
    torch.testing.assert_close(found[:, :, hole], drawn(model, context, other)[:, :, hole])


@pytest.mark.parametrize("name", NAMES)
def test_each_round_is_given_those_before_it(name: str) -> None:
    model, context, shown = of(name, 2).double(), a_context(), []
    hole = ~context.mask()

    def half(predicted: Gaussian, index: Index) -> Values:
        shown.append(index)
        return torch.full_like(predicted.mean, 0.5)

    noise = torch.zeros(2, model.config.latent).double() if model.has_latent else None
    indices = order(hole, SIZE, 0, 0)
    after = roll_out(model, context, indices, [2, 3, indices.shape[1] - 5], noise, half)
    assert torch.equal(torch.cat(shown, dim=1), indices)
    assert after.mask().all()
    expected = torch.where(context.observed, context.pixels, 0.5)
    assert torch.equal(after.pixels, expected)


def test_an_order_holds_each_pixel_of_the_hole_once_and_depends_on_the_path() -> None:
    hole = torch.rand(1, 99, generator=generator("hole")) < 0.5
    one, again, other = (order(hole, (9, 11), 3, path)[0] for path in (0, 0, 1))
    assert torch.equal(one.sort().values, hole[0].nonzero().flatten())
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("size", [(28, 28), (16, 40)])
def test_the_first_pixels_of_an_order_are_far_apart(size: tuple[int, int]) -> None:
    every = torch.ones(1, size[0] * size[1], dtype=torch.bool)
    for count, apart in ((4, 8.0), (16, 4.0), (64, 2.0)):
        for path in range(4):
            first = order(every, size, 0, path)[0, :count]
            places = torch.stack([first // size[1], first % size[1]], dim=1).double()
            distances = torch.cdist(places, places) + 1e9 * torch.eye(count)
            assert distances.min() >= apart


@pytest.mark.parametrize(
    ("pixels", "rounds"), [(774, 16), (774, 1), (5, 5), (5, 16), (1, 1), (0, 16), (4096, 64)]
)
def test_rounds_grow_and_leave_no_pixel_over(pixels: int, rounds: int) -> None:
    sizes = round_sizes(pixels, rounds)
    assert sum(sizes) == pixels
    assert len(sizes) == min(rounds, pixels)
    assert all(size >= 1 for size in sizes)
    assert sizes[-1:] == sorted(sizes)[-1:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "std"),
    [(0.02, 0.05), (0.1, 0.2), (0.5, 0.05), (0.5, 0.45), (0.9, 0.25), (0.5, 1e-5), (0.003, 1e-3)],
)
def test_a_draw_of_an_intensity_has_the_mean_and_std_that_are_predicted(
    mean: float, std: float
) -> None:
    """Of a Gaussian that is clipped, (0.1, 0.2) comes out as (0.14, 0.15)."""
    noise = torch.randn(200_000, generator=generator("noise"), dtype=torch.float64)
    predicted = Gaussian(torch.full_like(noise, mean), torch.full_like(noise, std))
    values = bounded(predicted, noise)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.mean().item() == pytest.approx(mean, abs=4 * std / len(noise) ** 0.5)
    assert values.std().item() == pytest.approx(std, rel=0.01)


@pytest.mark.parametrize(("mean", "std"), [(-0.5, 0.1), (1.5, 3.0), (0.3, 50.0), (0.5, 1e-4)])
def test_a_draw_is_an_intensity_whatever_is_predicted(mean: float, std: float) -> None:
    noise = torch.linspace(-6, 6, 101)
    values = bounded(Gaussian(torch.full_like(noise, mean), torch.full_like(noise, std)), noise)
    assert values.isfinite().all()
    assert values.min() >= 0
    assert values.max() <= 1
    assert (values.diff() >= 0).all()


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("cnp", {"sampler": "latent"}, "a cnp has no latent z"),
        ("np", {"sampler": "latnet"}, "unknown sampler 'latnet'"),
        ("np", {"rounds": 0}, "rounds=0"),
        ("np", {"rounds": 8}, "8 rounds: the hole has 7 pixels"),
        ("np", {"sampler": "latent", "rounds": 3}, "3 rounds of sampler latent"),
    ],
)
def test_a_sampler_that_is_not_for_this_model_and_hole_is_refused(
    name: str, words: dict[str, Any], says: str
) -> None:
    hole = np.zeros((5, 6), dtype=bool)
    hole.flat[:7] = True
    picture = np.full((5, 6), 0.5, dtype=np.float32)
    with pytest.raises(UsageError, match=says) as refusal:
        npfill.complete(picture, hole, of(name, 1), **words)
    assert refusal.value.hint


def test_a_sampler_of_ones_own_is_drawn_and_judged_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @dataclass(frozen=True)
    class Middle(Sampler):
        name: ClassVar[str] = "middle"
        meaning: ClassVar[str] = "one half everywhere"
        density: ClassVar[str] = "nothing"

        def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Tensor:
            pictures = paths.given.context.pixels
            shape = len(paths.numbers), len(pictures), len(targets.index), pictures.shape[1]
            return pictures.new_full(shape, 0.5)

        def log_likelihood(
            self, given: Conditioned, truth: Tensor, asked: Tensor, seed: int, count: int
        ) -> tuple[Tensor, Tensor]:
            none = truth.new_zeros(len(truth))
            return none, none

    monkeypatch.setitem(SAMPLERS, "middle", Middle)
    picture, hole = np.zeros((5, 6), np.float32), np.zeros((5, 6), dtype=bool)
    hole[2] = True
    completed = npfill.complete(picture, hole, of("np", 1), sampler="middle")
    assert (completed.samples[:, hole] == 0.5).all()
    answer = GridModel(of("np", 2).double(), 1, 0, Middle()).predict(
        a_context().pixels, a_context().observed
    )
    assert answer.likelihoods is not None
    assert not answer.likelihoods[0].any()
    with pytest.raises(UsageError) as refusal:
        sampler_for(of("np", 1), "midle")
    assert "middle" in refusal.value.hint


def test_a_baseline_has_no_samplers() -> None:
    hole = np.zeros((28, 28), dtype=bool)
    hole[3:9] = True
    with pytest.raises(UsageError, match="linear is a baseline"):
        npfill.complete(np.zeros((28, 28), np.float32), hole, "linear", sampler="independent")


@pytest.mark.parametrize("name", MODELS)
def test_auto_is_autoregressive_but_where_whole_photographs_are_drawn(name: str) -> None:
    wanted = "exemplar" if name in {"convcnp", "convcnp-refined"} else "autoregressive"
    assert sampler_for(tiny(name)).name == wanted


@pytest.mark.slow
@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_finer_than_the_models_grid_has_a_sample_in_every_pixel(
    name: str, noise: bool
) -> None:
    """Half of it is missing, so that cells of the coarser grid are empty and are drawn."""
    picture = np.random.default_rng(0).random((12, 16)).astype(np.float32)
    hole = np.zeros((12, 16), dtype=bool)
    hole[:, 8:] = True
    completed = npfill.complete(
        picture, hole, of(name, 1), samples=2, sampler="autoregressive", noise=noise
    )
    assert np.array_equal(completed.samples[:, ~hole], np.stack([picture[~hole]] * 2))
    assert np.isfinite(completed.samples).all()
    assert len(completed.notes) == 1


def test_pixels_of_a_finer_picture_do_not_share_the_noise_of_the_draws_that_were_fed_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, real = list[Tensor](), Paths.pixel_noise

    def noted(paths: Paths, pixels: int, word: str) -> Tensor:
        made.append(real(paths, pixels, word))
        return made[-1]

    monkeypatch.setattr(Paths, "pixel_noise", noted)
    hole = np.indices((12, 16))[1] > 7
    picture = np.zeros((12, 16), np.float32)
    npfill.complete(picture, hole, of("cnp", 1), samples=1, sampler="autoregressive", noise=True)
    coarse, fine = made
    assert not np.intersect1d(coarse.numpy(), fine.numpy()).size


def test_where_no_cell_of_the_grid_is_empty_that_is_said_and_another_sampler_stands_in() -> None:
    picture = np.full((12, 12), 0.4, dtype=np.float32)
    hole = np.indices((12, 12)).sum(0) % 2 == 0
    for name, kind in (("cnp", "independent"), ("np", "latent")):
        model = of(name, 1)
        found = npfill.complete(picture, hole, model, sampler="autoregressive")
        assert f"samples are {kind}" in found.notes[-1]
        assert np.array_equal(
            found.samples, npfill.complete(picture, hole, model, sampler=kind).samples
        )


@pytest.mark.parametrize("name", ["cnp", "lcnp", "convcnp"])
def test_a_correlation_of_channels_changes_no_channel_alone(name: str) -> None:
    model, context = of(name, 2).double(), a_context()
    targets = Targets.every(SIZE)
    z = torch.zeros(1, 2, 4, dtype=torch.float64) if model.has_latent else None
    before = model.condition(context).predict(z, targets)
    model.correlation = (0.9,)
    given = model.condition(context)
    after = given.predict(z, targets)
    assert torch.equal(before.mean, after.mean)
    assert torch.equal(before.scale, after.scale)
    moved = [moments(each, targets, 0) for each in (given, replace(given, factor=None))]
    assert torch.equal(moved[0].scale, moved[1].scale)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["independent", "autoregressive"])
def test_the_channels_of_samples_go_together_as_the_model_says(kind: str) -> None:
    model, context = of("cnp", 2).double(), a_context(batch=1)
    with torch.no_grad():
        last_bias(model)[2:] -= 4.0  # far from 0 and 1, where draws are bounded
    model.correlation = (0.6,)
    given, targets = model.condition(context), Targets.every(SIZE)
    hole = ~context.mask()[0]
    drawn = sampler(kind, 1, noise=True).sample(given, targets, 0, 400)[:, 0, hole]
    each = torch.stack([pixel.T.corrcoef()[0, 1] for pixel in drawn.unbind(1)])
    assert each.median().item() == pytest.approx(0.6, abs=0.05)
    model.correlation = ()
    noise = Paths(model.condition(context), 0, range(2)).pixel_noise(len(targets.index), "")
    assert noise.shape[-1] == 1, "not known: one noise for all channels"


def test_a_grey_picture_is_drawn_by_a_model_of_colour_as_one_channel() -> None:
    model = of("convcnp", 3)
    picture = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8, 1)
    hole = np.zeros((8, 8), dtype=bool)
    hole[2:5, 2:6] = True
    predictor = npfill.load(model)
    before = predictor.predict(picture, hole, samples=2)
    model.correlation = (0.9, 0.8, 0.9)
    after = predictor.predict(picture, hole, samples=2)
    assert np.array_equal(before.samples, after.samples)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["independent", "autoregressive"])
@torch.no_grad()
def test_samples_of_fields_have_the_mean_and_std_wherever_their_values_lie(kind: str) -> None:
    """A field that goes on beyond all that was observed is no intensity."""
    model = tiny("convcnp-field", channels=1)
    values = torch.randn(1, 1, 40, 40, generator=generator("field"), dtype=torch.float64)
    context, targets = Context(values, values < 1.0), Targets.every((40, 40))
    moved = replace(context, pixels=1e3 * context.pixels + 1e4)
    with network_alone():
        given, shifted = (model.condition(each) for each in (context, moved))
    predicted = moments(given, targets, 0)
    high = Gaussian(predicted.mean + 9.0, torch.full_like(predicted.scale, 1e-6))
    samples = Independent().draw(Paths(given, 0, range(400)), targets, high)
    assert samples.mean(0).numpy() == pytest.approx(high.mean.numpy(), abs=1e-6)
    assert samples.std(0).mean().item() == pytest.approx(1e-6, rel=0.05)
    one, other = (sampler(kind).sample(each, targets, 0, 2) for each in (given, shifted))
    torch.testing.assert_close((other - 1e4) / 1e3, one, rtol=1e-4, atol=1e-4)


def test_a_bound_of_the_observed_pixels_does_not_hold_for_what_is_drawn() -> None:
    model, context = of("anp", 2), a_context()
    stated = replace(context, at_most=int(context.mask()[0].sum()))
    one, other = (drawn(model.double(), each, Autoregressive()) for each in (context, stated))
    assert torch.equal(one, other)
