"""Samplers by name: joint draws of the pixels of a hole, for every variant."""

from dataclasses import fields

from npfill.errors import UsageError
from npfill.models import NeuralProcess
from npfill.sampling.autoregressive import Autoregressive
from npfill.sampling.base import Sampler, Samples
from npfill.sampling.independent import Independent
from npfill.sampling.latent import Latent
from npfill.sampling.predictive import MOMENT_DRAWS, draws, moments

__all__ = [
    "AUTO",
    "MOMENT_DRAWS",
    "SAMPLERS",
    "Autoregressive",
    "Independent",
    "Latent",
    "Sampler",
    "Samples",
    "draws",
    "moments",
    "sampler_for",
]

AUTO = "auto"
SAMPLERS: dict[str, type[Sampler]] = {
    sampler.name: sampler for sampler in (Latent, Autoregressive, Independent)
}


def sampler_for(
    model: NeuralProcess, name: str = AUTO, rounds: int | None = None, *, noise: bool = False
) -> Sampler:
    """The sampler of a name, with its options; `auto` is the default of the model's variant.

    Args:
        model: The model.
        name: `auto`, or a key of `SAMPLERS`.
        rounds: Rounds of a sampler that has them; None for its default.
        noise: Draw pixels where they would be means; ignored by a sampler that always does.

    Raises:
        UsageError: The name is unknown, or the sampler is not for this model or has no rounds.
    """
    if name not in {AUTO, *SAMPLERS}:
        raise UsageError(f"unknown sampler {name!r}", f"one of: {AUTO}, {', '.join(SAMPLERS)}")
    sampler = SAMPLERS[model.default_sampler if name == AUTO else name]
    if problem := sampler.refuse(model):
        raise UsageError(
            f"sampler {sampler.name}: {problem}", "autoregressive gives it coherent samples"
        )
    options = {"rounds": rounds, "noise": noise}
    known = {field.name for field in fields(sampler)}
    if rounds is not None and "rounds" not in known:
        raise UsageError(f"{rounds} rounds of sampler {sampler.name}", "autoregressive has rounds")
    if rounds is not None and rounds < 1:
        raise UsageError(f"{rounds} rounds", "1 or more are drawn")
    chosen = {key: value for key, value in options.items() if key in known and value is not None}
    return sampler(**chosen)
