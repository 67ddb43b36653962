"""The plain formulation is the same: predictions, losses and gradients."""

import copy

import pytest
import torch

from npfill.context import Context, Targets
from npfill.training.batch import Batch
from npfill.training.objectives import loss
from npfill.training.tables import Objective
from tests.conftest import MODELS, tiny
from tests.reference.plain import plain

SIZE = (6, 6)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MODELS if "convcnp" not in name])
def test_the_plain_step_has_the_loss_and_the_gradients_of_ours(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(3, 2, *SIZE, generator=generator, dtype=torch.float64)
    observed = torch.rand(3, 1, *SIZE, generator=generator) < 0.4
    noise = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    context, whole = Context(pixels, observed), Context(pixels, torch.ones_like(observed))
    every = Targets.every(SIZE)
    batch = Batch(
        context,
        every,
        every.values(pixels),
        ~context.mask(),
        whole,
        None if name.startswith("cnp") else noise,
    )
    objective = Objective(beta=2.0, targets=0, kl_warmup=0, from_context=0.3)
    model = tiny(name)
    plainly = plain(copy.deepcopy(model))
    losses = [loss(each, batch, objective, 0.7).total for each in (model, plainly)]
    torch.testing.assert_close(losses[0], losses[1])
    for total in losses:
        total.backward()
    for one, other in zip(model.parameters(), plainly.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MODELS if "convcnp" not in name])
def test_predictions_agree_with_the_plain_formulation_in_single_precision(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand(1, 2, 30, 40, generator=generator)
    context = Context(pixels, torch.rand(1, 1, 30, 40, generator=generator) < 0.4)
    model, targets = tiny(name).float(), Targets.every((30, 40))
    answers = []
    with torch.no_grad():
        for each in (model, plain(copy.deepcopy(model))):
            given = each.condition(context)
            noise = torch.randn(5, 1, 4, generator=torch.Generator().manual_seed(2))
            z = None if given.latent is None else given.latent.rsample(noise)
            predicted = given.predict(z, targets)
            answers.append(torch.stack([predicted.mean, predicted.scale]))
    torch.testing.assert_close(*answers, rtol=1e-5, atol=1e-5)
