"""Models and baselines on photographs of any size, each as it completes them for a user."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill import __version__, baselines, zoo
from npfill.baselines import Baseline
from npfill.data.sources import read_photographs
from npfill.errors import InputError
from npfill.evaluate.damages import Damage, Irregular, damages
from npfill.evaluate.memory import with_peak
from npfill.filling import Prediction, by_baseline, by_model
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.sampling import sampler_for
from npfill.scores import centrality, psnr, ssim

# Each score with what it is and its decimals.
SCORES = {
    "psnr": ("PSNR in the hole, dB", 2),
    "ssim": ("SSIM in the hole", 3),
    "z_squared": ("z², 1 is calibrated", 2),
    "coverage_90": ("share in the central interval of 90 %", 3),
    "seconds": ("seconds a picture", 2),
    "memory": ("peak memory of the process, GB", 2),
}
_LEVEL = 0.9


@dataclass(frozen=True)
class Entrant:
    """What is measured, and the hash of its weights or what it is fitted to."""

    name: str
    origin: str
    source: Baseline | NeuralProcess[Any]


@dataclass(frozen=True)
class Measured:
    """Mean scores over pictures, by completer and kind of hole.

    Attributes:
        data: The data's place.
        images: How many pictures.
        seed: Of the holes.
        origins: Of each completer, the hash of its weights or what it was fitted to.
        contexts: The kinds of holes, in order.
        scores: By completer, kind of hole and score; a score that does not exist is left out.
    """

    data: str
    images: int
    seed: int
    origins: dict[str, str]
    contexts: tuple[str, ...]
    scores: dict[str, dict[str, dict[str, float]]]


def measure_photographs(
    entrants: Sequence[Entrant],
    data: Path,
    masks: Path | None,
    images: int,
    seed: int,
    on_start: Callable[[int], None],
    on_picture: Callable[[str, str], None],
) -> Measured:
    """Complete photographs with every completer, in the same holes.

    Args:
        entrants: What is measured.
        data: A folder or zip of photographs; of a set with parts, its test part.
        masks: Irregular masks, a zip or folder; None to do without.
        images: How many photographs at most.
        seed: Of the holes.
        on_start: Told how many pictures are to be completed in all.
        on_picture: Told the completer and the kind of hole of each.

    Raises:
        InputError: The data or the masks cannot be read.
        ModelError: A package that a baseline needs is not installed.
    """
    photographs = read_photographs(data, "test", 1)[:images]
    kinds = damages(masks)
    on_start(len(entrants) * len(kinds) * len(photographs))
    scores: dict[str, dict[str, dict[str, float]]] = {each.name: {} for each in entrants}
    for entrant in entrants:
        for kind in kinds:
            rows = []
            for number, picture in enumerate(photographs.pictures):
                rows.append(_one(entrant.source, picture, kind, seed, number))
                on_picture(entrant.name, kind.name)
            scores[entrant.name][kind.name] = _means(rows)
    contexts = tuple(kind.name for kind in kinds)
    origins = {entrant.name: entrant.origin for entrant in entrants}
    return Measured(str(data), len(photographs), seed, origins, contexts, scores)


def entrants(names: Sequence[str], device: torch.device) -> list[Entrant]:
    """What names of models, paths to weights and names of baselines stand for.

    Raises:
        ModelError: A name is unknown, or weights fail verification.
    """
    found = []
    for name in names:
        if name in baselines.NAMES:
            found.append(Entrant(name, "fitted to each picture", baselines.build(name)))
        else:
            origin = f"sha256 {zoo.find(name).sha256}"
            found.append(Entrant(name, origin, zoo.load(name).to(device)))
    return found


def as_json(measured: Measured, command: str) -> str:
    """Everything that was measured; `npfill_evaluate_version` changes with the keys."""
    value = {
        "npfill_evaluate_version": "1",
        "npfill": __version__,
        "command": command,
        "data": measured.data,
        "images": measured.images,
        "seed": measured.seed,
        "completers": measured.origins,
        "scores": measured.scores,
    }
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def as_markdown(measured: Measured, command: str) -> str:
    """The report: a table for each score that any completer has."""
    lines = [
        "# Evaluation on photographs",
        "",
        f"    {command}",
        "",
        f"npfill {__version__}, {measured.images} photographs of {measured.data}, holes of seed "
        f"{measured.seed}. Means over the photographs, but for those on which a completer fails.",
        "",
        *(f"- {name}: {origin}" for name, origin in measured.origins.items()),
        "",
    ]
    had = {key for rows in measured.scores.values() for row in rows.values() for key in row}
    for key, (meaning, _) in SCORES.items():
        if key not in had:
            continue
        lines += [f"## {meaning[0].upper()}{meaning[1:]}", "", *markdown_table(measured, key), ""]
    return "\n".join(lines)


def markdown_table(measured: Measured, key: str) -> list[str]:
    """A score as the lines of a table: a row for each kind of hole."""
    head, *rows = table(measured, key)
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def table(measured: Measured, key: str) -> list[list[str]]:
    """A score as cells: a head with the completers that have it, a row for each kind of hole."""
    decimals = SCORES[key][1]
    names = [
        name for name, rows in measured.scores.items() if any(key in row for row in rows.values())
    ]
    rows = [
        [kind, *(_cell(measured.scores[name][kind].get(key), decimals) for name in names)]
        for kind in measured.contexts
    ]
    return [["missing", *names], *rows]


def _cell(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _one(
    source: Baseline | NeuralProcess[Any],
    picture: Tensor,
    kind: Damage | Irregular,
    seed: int,
    number: int,
) -> dict[str, float]:
    """The scores of one completion; none where nothing is missing, or a baseline fails."""
    truth = picture.permute(1, 2, 0).numpy().astype(np.float32) / np.float32(255)
    hole = kind.hole((truth.shape[0], truth.shape[1]), seed, number).copy()
    if not hole.any():
        return {}
    before = time.perf_counter()
    try:
        predicted, memory = with_peak(lambda: _filled(source, truth, hole, seed))
    except InputError:
        return {}
    seconds = time.perf_counter() - before
    cost = {"seconds": seconds} | ({} if memory is None else {"memory": memory})
    return _scores(predicted, truth, hole) | cost


def _filled(
    source: Baseline | NeuralProcess[Any],
    truth: Float[np.ndarray, "height width channel"],
    hole: Bool[np.ndarray, "height width"],
    seed: int,
) -> Prediction:
    if isinstance(source, Baseline):
        return by_baseline(source, truth, hole, 0, seed)
    return by_model(source, truth, hole, 0, seed, sampler_for(source))


def _scores(
    predicted: Prediction,
    truth: Float[np.ndarray, "height width channel"],
    hole: Bool[np.ndarray, "height width"],
) -> dict[str, float]:
    mean = truth.copy()
    mean[hole] = predicted.mean
    filled, whole = (
        torch.from_numpy(each).double().permute(2, 0, 1)[None] for each in (mean, truth)
    )
    missing = torch.from_numpy(hole)[None, None]
    scores = {
        "psnr": psnr(filled, whole, missing).item(),
        "ssim": ssim(filled, whole, missing).item(),
    }
    if predicted.std is None:
        return scores
    given, scale, actual = (
        torch.from_numpy(each).double()[None]
        for each in (predicted.mean, predicted.std, truth[hole])
    )
    central = centrality(Gaussian(given[None], scale[None]), actual)
    return scores | {
        "z_squared": ((actual - given) / scale).square().mean().item(),
        "coverage_90": (central <= _LEVEL).double().mean().item(),
    }


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each score over the pictures that have it."""
    keys = dict.fromkeys(key for row in rows for key in row)
    columns = {key: [row.get(key, math.nan) for row in rows] for key in keys}
    finite = {key: [v for v in values if math.isfinite(v)] for key, values in columns.items()}
    return {key: fmean(values) for key, values in finite.items() if values}
