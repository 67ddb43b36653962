"""A model with its optimiser and its average: one step, and the state that a resume needs."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from npfill import models
from npfill.devices import autocast, precision
from npfill.errors import UsageError
from npfill.models.flownp import FlowNP
from npfill.training.batch import Batch
from npfill.training.distributed import average_gradients
from npfill.training.flow import companions_of, flow_matching
from npfill.training.objectives import Loss, loss
from npfill.training.recipe import Recipe

# Groups of tensors in a state.
_MOMENTS, _MODULES = ("exp_avg", "exp_avg_sq"), ("model", "average")


class Learner:
    """Model, optimiser and averaged weights on a device.

    Args:
        recipe: What to train, and how.
        device: Where.
        shared: Whether several processes compute a batch; their gradients are averaged.
    """

    def __init__(self, recipe: Recipe, device: torch.device, shared: bool) -> None:
        self.recipe, self.device, self.shared = recipe, device, shared
        self.dtype = precision(device, recipe.run.precision)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.run.seed)
            self.model = models.build(recipe.variant, recipe.model).to(device)
        self.trained = _trained(self.model, recipe.optimiser.only)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.companions = companions_of(recipe.model, device)
        if isinstance(self.average, FlowNP):
            self.average.companions = self.companions[:1]
        self.optimiser = torch.optim.AdamW(
            self.trained.values(),
            lr=recipe.optimiser.learning_rate,
            weight_decay=recipe.optimiser.weight_decay,
            fused=device.type in {"cpu", "cuda"},
        )

    def learn(self, batch: Batch, step: int) -> Loss:
        """Take a step. Nothing here waits for the device."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate_at(step)
        with autocast(self.device, self.dtype):
            now, weight = self.recipe.objective_at(step), self.recipe.kl_weight_at(step)
            if isinstance(self.model, FlowNP):
                companion = self.companions[step % len(self.companions)]
                result = flow_matching(self.model, companion, batch, now.times)
            else:
                result = loss(self.model, batch, now, weight)
        self.optimiser.zero_grad(set_to_none=True)
        result.total.backward()
        if self.shared:
            average_gradients(self.model)
        norm = nn.utils.clip_grad_norm_(self.trained.values(), self.recipe.optimiser.clip)
        self.optimiser.step()
        share = 1.0 - self.recipe.decay_at(step)
        torch._foreach_lerp_([*self.average.parameters()], [*self.model.parameters()], share)
        # A gradient that is not finite ends a run as such a loss does, before it is saved.
        return replace(result, total=result.total + 0.0 * norm)

    def start_from(self, weights: nn.Module) -> None:
        """Begin with these weights, and what they lack anew; the calibration is to be fitted."""
        tensors = self.model.state_dict() | weights.state_dict()
        tensors["calibration"] = torch.zeros(2)
        for module in (self.model, self.average):
            module.load_state_dict(tensors)

    def state(self) -> dict[str, Tensor]:
        """Collect all tensors that the next step depends on, by name."""
        tensors = {}
        for name, parameter in self.trained.items():
            state = self.optimiser.state[parameter]
            tensors[f"exp_avg/{name}"] = state["exp_avg"]
            tensors[f"exp_avg_sq/{name}"] = state["exp_avg_sq"]
        for group, module in (("model", self.model), ("average", self.average)):
            tensors |= {f"{group}/{name}": value for name, value in module.state_dict().items()}
        return tensors

    def fits(self, tensors: dict[str, Tensor]) -> bool:
        """Tell whether tensors have the names, shapes and types of those that `state` returns."""
        weights, known = self.trained, self.model.state_dict()
        wanted = {f"{group}/{name}": weights[name] for group in _MOMENTS for name in weights}
        wanted |= {f"{group}/{name}": known[name] for group in _MODULES for name in known}
        return tensors.keys() == wanted.keys() and all(
            (each.shape, each.dtype) == (wanted[name].shape, wanted[name].dtype)
            for name, each in tensors.items()
        )

    def restore(self, tensors: dict[str, Tensor], step: int) -> None:
        """Go on from what `state` returned after a number of steps."""
        groups: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups.setdefault(group, {})[rest] = tensor.to(self.device)
        self.model.load_state_dict(groups["model"])
        self.average.load_state_dict(groups["average"])
        counter = self.device if self.device.type == "cuda" else torch.device("cpu")
        for name, parameter in self.trained.items():
            self.optimiser.state[parameter] = {
                "step": torch.tensor(float(step), device=counter),
                "exp_avg": groups["exp_avg"][name],
                "exp_avg_sq": groups["exp_avg_sq"][name],
            }


def _trained(model: nn.Module, only: str) -> dict[str, nn.Parameter]:
    """The parameters of a part of a model, or of all of it; the others get no gradient."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not only or name.startswith(f"{only}."))
    found = {name: each for name, each in model.named_parameters() if each.requires_grad}
    if not found:
        parts = dict.fromkeys(name.partition(".")[0] for name, _ in model.named_parameters())
        raise UsageError(
            f"optimiser.only = {only!r}: the model has no such part to train",
            f"it has {', '.join(parts)}",
        )
    return found
