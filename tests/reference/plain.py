"""A step and a prediction as one would write them first: the same layers, nothing clever.

Everything is float32 with PyTorch's defaults. Every context is encoded on its own and every layer
runs on every point; the decoder's first layer takes position, representation and latent side by
side; the optimiser and the average go tensor by tensor.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.context import Context
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess, build
from npfill.models.base import floored_gaussian
from npfill.models.parts.basis import BasisEncoder
from npfill.models.parts.points import points_of
from npfill.models.parts.pointwise import PointwiseDecoder, PointwiseEncoder
from npfill.training.batch import Batch
from npfill.training.objectives import Loss, loss
from npfill.training.recipe import Recipe


class PlainEncoder(nn.Module):
    """The mean over points of the whole of h(x_i, y_i)."""

    def __init__(self, encoder: PointwiseEncoder | BasisEncoder) -> None:
        super().__init__()
        self.encoder, self.width = encoder, encoder.width

    def forward(self, context: Context) -> Tensor:
        """The mean representation, "batch width"."""
        points = points_of(context)
        features = self.encoder.coordinates(points.positions)
        if isinstance(self.encoder, PointwiseEncoder):
            each = self.encoder.point(torch.cat([features, points.values], dim=-1))
        else:
            products = [features * values for values in points.values.split(1, dim=-1)]
            each = torch.cat([features, *products], dim=-1) * features.shape[-1] ** 0.5
        weights = points.valid.unsqueeze(-1).to(each.dtype)
        return (each * weights).sum(1) / weights.sum(1).clamp(min=1.0)

    def each(self, pixels: Tensor, observed: Tensor) -> Tensor:
        """The mean representation under each mask, one after the other."""
        return torch.stack([self(Context(pixels, mask)) for mask in observed])


class PlainDecoder(nn.Module):
    """A perceptron over x, r and z side by side, for every target of every picture."""

    def __init__(self, decoder: PointwiseDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, positions: Tensor, r: Tensor | None, z: Tensor | None) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        features = self.decoder.coordinates(positions)
        inputs, weights = [features], [self.decoder.from_position.weight]
        biases: list[Tensor] = []
        joined = self.decoder.joined
        for part, layer in ((r, joined.from_representation), (z, joined.from_latent)):
            if part is not None and layer is not None:
                inputs.append(part if part is r else part.unsqueeze(-2))
                weights.append(layer.weight)
                biases.append(layer.bias)
        shape = torch.broadcast_shapes(*(part.shape[:-1] for part in inputs))
        beside = torch.cat([part.expand(*shape, -1) for part in inputs], dim=-1)
        first = F.linear(beside, torch.cat(weights, dim=1), torch.stack(biases).sum(0))
        return floored_gaussian(self.decoder.body(F.relu(first)), self.decoder.floor)


def plain(model: NeuralProcess) -> NeuralProcess:
    """The same model, with the same weights, its parts written plainly."""
    for name, part in list(model.named_children()):
        if isinstance(part, PointwiseEncoder | BasisEncoder):
            setattr(model, name, PlainEncoder(part))
        elif isinstance(part, PointwiseDecoder):
            setattr(model, name, PlainDecoder(part))
    return model


class PlainLearner:
    """What `npfill.training.learner.Learner` does, plainly."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.run.seed)
        self.recipe = recipe
        self.model = plain(build(recipe.variant, recipe.model).to(device))
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        decayed = recipe.optimiser.weight_decay
        self.optimiser = torch.optim.AdamW(self.model.parameters(), weight_decay=decayed)

    def learn(self, batch: Batch, step: int) -> Loss:
        """Take a step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate_at(step)
        now = self.recipe.objective_at(step)
        result = loss(self.model, batch, now, self.recipe.kl_weight_at(step))
        self.optimiser.zero_grad()
        result.total.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimiser.clip)
        self.optimiser.step()
        pairs = zip(self.average.parameters(), self.model.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight.detach(), 1.0 - self.recipe.decay_at(step))
        return result
