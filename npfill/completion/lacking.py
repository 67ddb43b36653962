"""The samples that results need, and the results that a model does not give."""

from collections.abc import Sequence

from npfill.completion.completed import CompletedPicture
from npfill.completion.outputs import Result
from npfill.errors import UsageError

# Baselines that never give a standard deviation or samples.
BARE = {"nearest", "griddata", "telea", "navier-stokes", "biharmonic"}


def givable(results: Sequence[Result], model: str, emit: str | None = None) -> list[Result]:
    """The results that a model may give, by its name.

    Raises:
        UsageError: One that it does not give was asked for in so many words.
    """
    if model not in BARE:
        return [*results]
    kinds = {each.output for each in results}
    lacking = {one for one in kinds if one.needs_std or one.of_each_sample or one.shows_first}
    if lacking and emit is not None:
        problem = f"`emit={emit}`: {model} gives no standard deviation and no samples"
        raise UsageError(problem, "leave them out, or name another model")
    return [each for each in results if each.output not in lacking]


def without_lacking(
    results: Sequence[Result], done: CompletedPicture, emit: str | None
) -> tuple[list[Result], list[str]]:
    """The results without what the model does not give, and a sentence for each kind left out.

    Raises:
        UsageError: It was asked for in so many words.
    """
    lacking = {}
    for output in [each.output for each in results]:
        if output.needs_std and done.std is None:
            lacking[output] = f"{done.model} gives no standard deviation: none is written"
        elif (output.of_each_sample or output.shows_first) and not len(done.samples):
            source = f"{done.model} gives" if done.sampling.samples else "`samples=0` draws"
            lacking[output] = f"{source} no samples: none are written"
    if lacking and emit is not None:
        problem = f"`emit={emit}`: {next(iter(lacking.values()))}"
        raise UsageError(problem, "leave it out, or name another model")
    given = [each for each in results if each.output not in lacking]
    return given, [*dict.fromkeys(lacking.values())]


def samples_for(results: Sequence[Result], samples: int) -> int:
    """The number of samples that results show, where so many are asked for."""
    outputs = [each.output for each in results]
    wanted = samples if any(each.shows_samples for each in outputs) else 0
    return max(wanted, int(any(each.shows_first for each in outputs)))
