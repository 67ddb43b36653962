"""A model with a sampler: the density of its samples, and what is measured of them."""

import math

import pytest
import torch

from npfill.context import Context, Targets
from npfill.evaluate.contexts import kind
from npfill.evaluate.predictions import GridModel
from npfill.evaluate.protocol import measure
from npfill.models import NeuralProcess
from npfill.sampling import (
    SAMPLERS,
    Autoregressive,
    Independent,
    autoregressive,
    sampler_for,
)
from npfill.sampling.autoregressive import order, round_sizes
from npfill.sampling.predictive import latent_noise
from npfill.seeds import generator
from tests.conftest import of

SIZE = (4, 4)


def a_context(batch: int = 2) -> Context:
    pixels = torch.rand(batch, 2, *SIZE, generator=generator("pixels"), dtype=torch.float64)
    return Context(pixels, kind("random:5").observed(batch, SIZE, 0))


@torch.no_grad()
def plain(model: NeuralProcess, context: Context, path: int, z: int) -> float:
    """log p of one picture along one path, pixel by pixel."""
    seen, total = context.observed.clone(), 0.0
    (indices,) = order(~context.mask(), SIZE, 5, path)
    for some in indices.split(round_sizes(len(indices), autoregressive.BLOCKS)):
        given = model.condition(Context(context.pixels, seen))
        draw = None
        if given.latent is not None:
            noise = latent_noise(model.config.latent, 5, "scores", [z]).double()
            draw = (given.latent.mean + given.latent.scale * noise).unsqueeze(0)
        for index in some:
            predicted = given.predict(draw, Targets(index.view(1), SIZE))
            truth = context.pixels.flatten(2)[0, :, index]
            for channel in range(2):
                m, s = (t.flatten()[channel].item() for t in (predicted.mean, predicted.scale))
                y = truth[channel].item()
                total += -0.5 * ((y - m) / s) ** 2 - math.log(s * math.sqrt(2 * math.pi))
        seen.view(-1)[some] = True
    return total


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnp", "np", "anp"])
def test_the_density_of_a_path_agrees_with_a_plain_evaluation(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoregressive, "BLOCKS", 3)
    model, both = of(name, 2).double(), a_context()
    truth, hole = both.pixels.flatten(2).mT, ~both.mask()
    found, _ = Autoregressive().log_likelihood(model.condition(both), truth, hole, 5, 1)
    for number in range(2):
        alone = Context(both.pixels[number : number + 1], both.observed[number : number + 1])
        expected = 0.0
        for path in range(autoregressive.ORDERS):
            latents = autoregressive.LATENTS if model.has_latent else 1
            each = [plain(model, alone, path, path * latents + z) for z in range(latents)]
            expected += torch.tensor(each).double().logsumexp(0).item() - math.log(latents)
        pixels = int((~alone.observed).sum())
        assert found[number].item() == pytest.approx(
            expected / autoregressive.ORDERS / pixels, rel=1e-5
        )


@pytest.mark.slow
def test_in_one_block_the_density_is_that_of_independent_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(autoregressive, "BLOCKS", 1)
    model, context = of("cnp", 2).double(), a_context()
    pixels, seen = context.pixels, context.observed
    alone = GridModel(model, 1, 0, Independent()).predict(pixels, seen)
    path = GridModel(model, 1, 0, Autoregressive()).predict(pixels, seen)
    assert alone.likelihoods is not None
    assert path.likelihoods is not None
    for one, other in zip(alone.likelihoods, path.likelihoods, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "flow"])
def test_samples_of_digits_are_judged_and_timed(name: str) -> None:
    images = torch.randint(0, 256, (2, 1, 28, 28), generator=generator("d"), dtype=torch.uint8)
    model = of("np-basis", 1)
    how = sampler_for(model, name, rounds=2 if name == "autoregressive" else None)
    predictor = GridModel(model, 2, 0, how)
    scores = measure("", predictor, kind("random:500"), images, 0).scores
    assert {"confidence", "mean_confidence", "real_confidence", "label_entropy"} <= set(scores)
    assert scores["sample_seconds"].value > 0
    assert 0 < scores["confidence"].value <= 1
    every = measure("", predictor, kind("random:784"), images, 0).scores
    assert every["label_entropy"].value == 0
    assert every["confidence"].value == pytest.approx(every["real_confidence"].value)
