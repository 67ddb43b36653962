"""A scale that is wrong by a known law is mended by that law."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from npfill.context import Context, Targets
from npfill.evaluate.held_out import calibrate, correlate
from npfill.gaussian import Gaussian, mixture_moments
from npfill.models import NeuralProcess
from npfill.sampling import draws

MEAN, NOISE = 0.5, 0.1


@dataclass(frozen=True)
class Sizes:
    """Those of the pictures below."""

    latent: int
    channels: int = 1
    size: int = 8
    scale_floor: float = 0.0


class Known(NeuralProcess):
    """Knows the mean of the noise, and a scale that is wrong by a factor c s^d, s observed.

    With `spread` above 0 it is latent, and its draws differ by as much.
    """

    variant = "known"

    def __init__(self, factor: float, power: float, spread: float = 0.0, channels: int = 1) -> None:
        super().__init__(Sizes(latent=int(spread > 0), channels=channels))
        self.factor, self.power, self.spread_of_means = factor, power, spread

    def encode(self, context: Context) -> Tensor:
        share = context.mask().double().mean(1)
        return NOISE * self.factor * share**self.power

    def infer(self, context: Context) -> Gaussian | None:
        if not self.spread_of_means:
            return None
        shape = (len(context.pixels), 1)
        return Gaussian(torch.zeros(shape), torch.full(shape, self.spread_of_means))

    def predict(self, encoded: Tensor, z: Tensor | None, targets: Targets) -> Gaussian:
        shape = (-1, len(targets.index), self.config.channels)
        scale = encoded.view(-1, 1, 1).expand(*shape).float()
        if z is None:
            return Gaussian(torch.full_like(scale, MEAN), scale)
        return Gaussian(
            MEAN + z.unsqueeze(-1).expand(-1, *scale.shape), scale.expand(len(z), *scale.shape)
        )


def noise_pictures() -> Any:
    normal = torch.randn(300, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return ((MEAN + NOISE * normal) * 255).round().clamp(0, 255).to(torch.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "power"), [(1.0, 0.0), (0.4, 0.0), (0.5, -0.3), (2.0, 0.25)])
def test_a_wrong_scale_is_undone(factor: float, power: float) -> None:
    model = Known(factor, power)
    offset, slope = calibrate(model, noise_pictures())
    assert offset == pytest.approx(-math.log(factor), abs=0.06)
    assert slope == pytest.approx(-power, abs=0.02)
    assert model.calibration.tolist() == pytest.approx([offset, slope])


@pytest.mark.slow
def test_fitting_again_changes_nothing() -> None:
    model = Known(0.4, 0.1)
    assert calibrate(model, noise_pictures()) == pytest.approx(calibrate(model, noise_pictures()))


@pytest.mark.slow
def test_a_mixture_that_differs_too_much_is_left_with_a_small_scale() -> None:
    """The draws alone have a variance four times too large: z² stays low, and nothing diverges."""
    model = Known(1.0, 0.0, spread=2 * NOISE)
    offset, _ = calibrate(model, noise_pictures())
    assert math.isfinite(offset)
    assert offset < 0.2


@pytest.mark.slow
def test_the_std_of_a_mixture_is_not_made_wider_than_its_errors() -> None:
    model, pictures = Known(1.0, 0.0, spread=1.2 * NOISE), noise_pictures()
    calibrate(model, pictures)
    pixels = pictures.float() / 255
    given = model.condition(Context(pixels, torch.zeros(300, 1, 8, 8, dtype=torch.bool)))
    assert given.latent is not None
    draws_ = draws(given.latent, 0, "calibration", 16)
    moments = mixture_moments(given.predict(draws_, Targets.every((8, 8))))
    errors = (pixels.flatten(1).unsqueeze(-1) - moments.mean) / moments.scale
    assert 1 / 1.15 < float(errors.square().mean()) < 1


@pytest.mark.slow
def test_the_correlation_of_the_channels_is_found() -> None:
    truth = torch.tensor([[1.0, 0.9, 0.5], [0.9, 1.0, 0.7], [0.5, 0.7, 1.0]])
    normal = torch.randn(200, 8, 8, 3, generator=torch.Generator().manual_seed(0))
    noise = (normal @ torch.linalg.cholesky(truth).mT).permute(0, 3, 1, 2)
    pictures = ((MEAN + NOISE * noise) * 255).round().clamp(0, 255).to(torch.uint8)
    model = Known(0.5, 0.0, channels=3)
    calibrate(model, pictures)
    assert model.correlation == pytest.approx((0.9, 0.5, 0.7), abs=0.02)
    before, model.correlation = model.calibration.clone(), ()
    correlate(model, pictures)
    assert model.correlation == pytest.approx((0.9, 0.5, 0.7), abs=0.02)
    assert torch.equal(model.calibration, before)


@pytest.mark.slow
def test_use_is_calibrated_and_training_is_not() -> None:
    model = Known(1.0, 0.0)
    model.calibration.copy_(torch.tensor([math.log(2.0), -0.5]))
    observed = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    observed[0, 0, 0, 0] = True
    observed[1] = True
    context, targets = Context(torch.zeros(2, 1, 8, 8), observed), Targets.every((8, 8))
    raw = model.predict(model.encode(context), None, targets)
    used = model.condition(context).predict(None, targets)
    assert torch.equal(used.mean, raw.mean)
    ratio = (used.scale / raw.scale)[:, 0, 0]
    torch.testing.assert_close(ratio, torch.tensor([2.0 * 8.0, 2.0]))
