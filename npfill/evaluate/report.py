"""A comparison as text, JSON and charts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from npfill import __version__
from npfill.evaluate.charts import Point, line_chart
from npfill.evaluate.comparison import Comparison
from npfill.evaluate.protocol import LEVELS, Estimate, Result
from npfill.evaluate.settings import Setting
from npfill.sampling.autoregressive import BLOCKS, LATENTS, ORDERS
from npfill.scores import COMMON_FLOOR


@dataclass(frozen=True)
class Score:
    """How a score is written: its title, what it says, and its decimals."""

    title: str
    meaning: str
    decimals: int = 3


SCORES = {
    "mse": Score("MSE", "mean squared error in the hole; lower is better", 4),
    "psnr": Score("PSNR", "mean over pictures of that in the hole, in dB; higher is better", 2),
    "ssim": Score("SSIM", "structural similarity, averaged in the hole; higher is better"),
    "log_likelihood": Score(
        "LL, joint",
        "nats per target pixel, with the scale as it is; of a sampler, that of its distribution: "
        "independent, the product over pixels; latent, the mean over draws of z; autoregressive, "
        f"the product over {BLOCKS} blocks of pixels, each given those before it, mean over "
        f"{ORDERS} orders, with the mean over {LATENTS} z inside the logarithm",
    ),
    "floored_log_likelihood": Score(
        f"LL, joint, floor {COMMON_FLOOR}",
        f"nats per target pixel, with the scale floored at {COMMON_FLOOR}",
    ),
    "pointwise": Score("LL, pointwise", "nats per target pixel, with the scale as it is"),
    "floored_pointwise": Score(
        f"LL, pointwise, floor {COMMON_FLOOR}",
        f"nats per target pixel, with the scale floored at {COMMON_FLOOR}",
    ),
    "z_squared": Score("z²", "mean standardised squared error; 1 is calibrated", 2),
    "coverage_50": Score("Coverage, 50 %", "share in the central interval of 50 %", 2),
    "coverage_90": Score("Coverage, 90 %", "share in the central interval of 90 %", 2),
    "coverage_50_between": Score(
        "Coverage, 50 %, between", "over intensities strictly between 0 and 1", 2
    ),
    "coverage_90_between": Score(
        "Coverage, 90 %, between", "over intensities strictly between 0 and 1", 2
    ),
    "uncalibrated_z_squared": Score("z² before calibration", "1 is calibrated", 2),
    "uncalibrated_coverage_50_between": Score(
        "Coverage, 50 %, between, before calibration", "over intensities between 0 and 1", 2
    ),
    "uncalibrated_coverage_90_between": Score(
        "Coverage, 90 %, between, before calibration", "over intensities between 0 and 1", 2
    ),
    "context_mse": Score("MSE at the context", "error at the observed pixels themselves", 5),
    "edge_correlation": Score(
        "Edge correlation", "correlation in the hole of std with the length of the truth's gradient"
    ),
    "diversity": Score("Diversity", "mean distance of two samples in the hole, as RMS"),
    "coherence": Score(
        "Coherence",
        "correlation of neighbouring pixels' deviations from the mean, in samples; 0 is noise",
    ),
    "confidence": Score(
        "Confidence of samples", "mean probability of a classifier's digit, over samples"
    ),
    "mean_confidence": Score("Confidence of the mean", "the same of the mean"),
    "real_confidence": Score("Confidence of real pictures", "the same of the test pictures"),
    "label_entropy": Score(
        "Label entropy", "entropy in nats of the digits that a picture's samples are taken for", 2
    ),
    "seconds": Score("Seconds per sample", "one picture at a time, with this machine's load"),
    "kl": Score("KL", "KL(q(z | all pixels) || q(z | C)), nats per picture", 1),
}
_CHARTED = ("mse", "floored_log_likelihood", "floored_pointwise", "psnr", "ssim", "z_squared")


def as_markdown(comparison: Comparison, command: str) -> str:
    """The whole report as Markdown: a table for each score, with standard errors."""
    budget = comparison.budget
    names, settings = _axes(comparison)
    lines = [
        "# Evaluation",
        "",
        f"    {command}",
        "",
        f"npfill {__version__}, {comparison.size}x{comparison.size} pixels, "
        f"{comparison.channels} channel{'s' if comparison.channels > 1 else ''}, data "
        f"{comparison.data}, test pictures {_images(comparison)}, {budget.draws} draws of z from "
        f"the context, seed {budget.seed}. Targets are the pixels outside the context. "
        "A value stands with its standard error over pictures.",
        "",
        *(f"- {name}: {comparison.origins[name]}" for name in names),
        "",
    ]
    for key, score in SCORES.items():
        rows = _rows(comparison, key, settings, names)
        if rows:
            lines += [
                f"## {score.title}",
                "",
                f"{score.meaning[0].upper()}{score.meaning[1:]}.",
                "",
            ]
            lines += [*_table(["context", *names], rows), ""]
    return "\n".join(lines)


def as_json(comparison: Comparison, command: str) -> str:
    """Everything that was measured; `npfill_evaluate_version` changes with the keys."""
    value: dict[str, Any] = {
        "npfill_evaluate_version": "1",
        "npfill": __version__,
        "command": command,
        "data": comparison.data,
        "size": comparison.size,
        "channels": comparison.channels,
        "budget": asdict(comparison.budget),
        "floor": COMMON_FLOOR,
        "completers": comparison.origins,
        "results": [
            {
                "completer": result.completer,
                "context": result.setting.name,
                "images": result.images,
                "scores": {key: asdict(estimate) for key, estimate in result.scores.items()},
            }
            for result in comparison.results
        ],
    }
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def charts(comparison: Comparison) -> dict[str, Image.Image]:
    """Scores against the number of context pixels, and reliability, by the file's name."""
    names, settings = _axes(comparison)
    found = {}
    for family in ("random", "ordered"):
        counted = [setting for setting in settings if setting.family == family and setting.count]
        if len(counted) > 1:
            for key in _CHARTED:
                series = {name: _line(comparison, name, counted, key) for name in names}
                score = SCORES[key].title.replace("z²", "z squared")  # the font has no ²
                found[f"{key}-{family}.png"] = line_chart(
                    f"{score}, {family} context pixels",
                    "context pixels",
                    score,
                    series,
                    log_x=True,
                )
    for setting in settings:
        if any("coverage_50" in result.scores for result in _at(comparison, setting)):
            found[f"reliability-{setting.name.replace(':', '-')}.png"] = line_chart(
                f"Reliability over intensities between 0 and 1, {setting.name}",
                "probability of the central interval",
                "share inside",
                {result.completer: _reliability(result) for result in _at(comparison, setting)},
                diagonal=True,
            )
    return found


def text(score: Score, estimate: Estimate | None) -> str:
    """A value as tables show it; nothing where there is none."""
    return "" if estimate is None else f"{estimate.value:.{score.decimals}f}"


def _rows(
    comparison: Comparison, key: str, settings: Sequence[Setting], names: Sequence[str]
) -> list[list[str]]:
    """The rows of a score's table; none where nothing has the score."""
    values = {
        (result.completer, result.setting): result.scores.get(key) for result in comparison.results
    }
    if not any(values.values()):
        return []
    return [
        [setting.name, *(_with_error(SCORES[key], values[name, setting]) for name in names)]
        for setting in settings
    ]


def _with_error(score: Score, estimate: Estimate | None) -> str:
    shown = text(score, estimate)
    return f"{shown} ± {estimate.error:.{score.decimals}f}" if estimate is not None else ""


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _axes(comparison: Comparison) -> tuple[list[str], list[Setting]]:
    """The completers and settings, in the order they were measured in."""
    names = dict.fromkeys(result.completer for result in comparison.results)
    settings = dict.fromkeys(result.setting for result in comparison.results)
    return list(names), list(settings)


def _images(comparison: Comparison) -> str:
    """How many pictures each completer was measured on."""
    names, _ = _axes(comparison)
    groups: dict[str, list[str]] = {}
    for name in names:
        counts = {result.images for result in comparison.results if result.completer == name}
        groups.setdefault(" or ".join(str(n) for n in sorted(counts, reverse=True)), []).append(
            name
        )
    if len(groups) == 1:
        return next(iter(groups))
    return ", ".join(f"{counts} ({', '.join(who)})" for counts, who in groups.items())


def _at(comparison: Comparison, setting: Setting) -> list[Result]:
    return [result for result in comparison.results if result.setting == setting]


def _line(comparison: Comparison, name: str, settings: Sequence[Setting], key: str) -> list[Point]:
    line: list[Point] = []
    for setting in settings:
        (result,) = [one for one in _at(comparison, setting) if one.completer == name]
        estimate = result.scores.get(key)
        if estimate is not None:
            line.append((float(setting.count or 0), estimate.value, estimate.error))
    return line


def _reliability(result: Result) -> list[Point]:
    points: list[Point] = []
    for level in LEVELS:
        estimate = result.scores.get(f"coverage_{100 * level:.0f}_between")
        if estimate is not None:
            points.append((level, estimate.value, estimate.error))
    return points
