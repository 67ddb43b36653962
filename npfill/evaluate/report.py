"""An evaluation as Markdown, JSON, tables and plots."""

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from npfill.errors import ModelError
from npfill.evaluate.agreement import AGREEMENT
from npfill.evaluate.contexts import ContextKind
from npfill.evaluate.metrics import LEVELS, METRICS, Metric
from npfill.evaluate.protocol import Estimate, Results
from npfill.files import json_text
from npfill.notes import as_cell
from npfill.package import __version__, imported
from npfill.scores import COMMON_FLOOR

VERSION = "3"
# Metrics that the command prints: on a grid, of samplers, and on photographs.
SHORT = (
    "mse",
    "floored_log_likelihood",
    "floored_pointwise",
    "z_squared",
    "coverage_90_between",
    "context_mse",
)
OF_SAMPLERS = (
    "log_likelihood",
    "confidence",
    "mean_confidence",
    "real_confidence",
    "label_entropy",
    "diversity",
    "coherence",
    *AGREEMENT,
    "band_fine",
    "band_middle",
    "band_coarse",
    "sample_seconds",
)
OF_PHOTOGRAPHS = (
    "psnr",
    "ssim",
    "z_squared",
    "uncalibrated_z_squared",
    "coverage_90",
    "uncalibrated_coverage_90",
    "seconds",
)
_PLOTTED = ("mse", "floored_log_likelihood", "floored_pointwise", "psnr", "ssim", "z_squared")
_INCHES, _DPI, _LONGEST_LABEL = (7.0, 4.4), 110, 28


@dataclass(frozen=True)
class Table:
    """The values of a metric: a row for each kind of context, a column for each predictor."""

    metric: Metric
    predictors: tuple[str, ...]
    rows: tuple[tuple[ContextKind, tuple[Estimate | None, ...]], ...]

    def cells(self, *, errors: bool) -> list[list[str]]:
        """The rows as text, with the name of the context first."""
        return [[kind.name, *(self._text(each, errors) for each in row)] for kind, row in self.rows]

    def _text(self, estimate: Estimate | None, error: bool) -> str:
        if estimate is None:
            return ""
        decimals = self.metric.decimals
        shown = f"{estimate.value:.{decimals}f}"
        if error and math.isfinite(estimate.error):
            shown += f" ± {estimate.error:.{decimals}f}"
        return shown + (f" ({estimate.infinite} infinite)" if estimate.infinite else "")


def tables(results: Results, metrics: Iterable[str] | None = None) -> list[Table]:
    """A table for each metric that any predictor has, with the predictors that have it.

    Args:
        results: The evaluation.
        metrics: Names in `METRICS`; None for all that are shown in reports.
    """
    names = [name for name, metric in METRICS.items() if metric.tabled]
    found = []
    for metric in names if metrics is None else metrics:
        columns = {
            name: [results.score(name, kind, metric) for kind in results.contexts]
            for name in results.predictors
        }
        columns = {name: column for name, column in columns.items() if any(column)}
        if columns:
            rows = zip(results.contexts, zip(*columns.values(), strict=True), strict=True)
            found.append(Table(METRICS[metric], tuple(columns), tuple(rows)))
    return found


def as_markdown(results: Results, command: str) -> str:
    """The report as Markdown: a table for each metric, with standard errors."""
    budget, side = results.budget, results.size
    shape = "pictures at their own size" if side is None else f"{side}x{side} pixels"
    channels = f"{results.channels} channel{'s' if results.channels > 1 else ''}"
    data = as_cell(results.data + (f", masks {results.masks}" if results.masks else ""))
    draws = "samples of each sampler" if side is None else "draws of z from the context"
    lines = [
        "# Evaluation",
        "",
        f"    {command}",
        "",
        f"npfill {__version__}, {shape}, {channels}, data {data}, {results.part} "
        f"{_counts(results)}, {budget.draws} {draws}, seed {budget.seed}. "
        "Targets are the pixels outside the context. A value stands with its standard error over "
        "pictures; one that a predictor refuses does not count, exact ones stand beside the PSNR.",
        "",
        *(f"- {as_cell(name)}: {as_cell(origin)}" for name, origin in results.predictors.items()),
        "",
        *(line for note in results.notes for line in (f"Note: {as_cell(note)}.", "")),
    ]
    for table in tables(results):
        meaning = table.metric.meaning
        head = ["context", *map(as_cell, table.predictors)]
        rows = [head, ["---"] * len(head), *table.cells(errors=True)]
        lines += [f"## {table.metric.title}", "", f"{meaning[0].upper()}{meaning[1:]}.", ""]
        lines += [*(f"| {' | '.join(row)} |" for row in rows), ""]
    return "\n".join(lines)


def as_json(results: Results, command: str) -> str:
    """Everything that was measured; `npfill_evaluate_version` changes with the keys."""
    value: dict[str, Any] = vars(results) | {
        "npfill_evaluate_version": VERSION,
        "npfill": __version__,
        "command": command,
        "budget": asdict(results.budget),
        "floor": COMMON_FLOOR,
        "contexts": [kind.name for kind in results.contexts],
        "metrics": {
            name: {"title": metric.title, "meaning": metric.meaning}
            for name, metric in METRICS.items()
        },
        "results": [
            vars(result)
            | {
                "context": result.context.name,
                "scores": {name: asdict(estimate) for name, estimate in result.scores.items()},
            }
            for result in results.results
        ],
    }
    return json_text(value, indent=1, sort_keys=True) + "\n"


def plots(results: Results) -> dict[str, bytes]:
    """PNGs by file name: metrics against the amount of context, and reliability.

    Raises:
        ModelError: matplotlib is not installed.
    """
    found = {}
    families: dict[str, list[ContextKind]] = {}
    for kind in results.contexts:
        if kind.amount is not None:
            families.setdefault(kind.family, []).append(kind)
    for family, kinds in families.items():
        for name in _PLOTTED if len(kinds) > 1 else ():
            title, series = METRICS[name].title, _against_amount(results, name, kinds)
            if any(series.values()):
                of = "per cent of pixels kept" if family == "keep" else f"{family} context pixels"
                found[f"{name}-{family}.png"] = draw_lines(title, of, title, series, log=True)
    for kind in results.contexts:
        lines = {name: _reliability(results, name, kind) for name in results.predictors}
        if any(lines.values()):
            found[f"reliability-{kind.name.replace(':', '-').replace(' ', '-')}.png"] = draw_lines(
                f"Reliability over intensities between 0 and 1, {kind.name}",
                "probability of the central interval",
                "fraction inside",
                lines,
                diagonal=True,
            )
    return found


Line = list[tuple[float, Estimate]]


def _against_amount(results: Results, metric: str, kinds: Sequence[ContextKind]) -> dict[str, Line]:
    """For each predictor the amounts of context and its estimates."""
    return {
        name: [
            (float(kind.amount or 0), estimate)
            for kind in kinds
            if (estimate := results.score(name, kind, metric)) is not None
        ]
        for name in results.predictors
    }


def _reliability(results: Results, predictor: str, kind: ContextKind) -> Line:
    """The probability of central intervals, and the fraction of intensities inside."""
    names = {level: f"coverage_{100 * level:.0f}_between" for level in LEVELS}
    found = ((level, results.score(predictor, kind, name)) for level, name in names.items())
    return [(level, estimate) for level, estimate in found if estimate is not None]


def draw_lines(
    title: str,
    x_label: str,
    y_label: str,
    series: dict[str, Line],
    *,
    log: bool = False,
    diagonal: bool = False,
) -> bytes:
    """One plot as a PNG, a line for each predictor, with errors; ModelError without matplotlib."""
    imported("matplotlib", "a plot", "report", ModelError)
    figure = import_module("matplotlib.figure").Figure(_INCHES, _DPI, layout="constrained")
    axes = figure.subplots()
    if diagonal:
        axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    for name, line in series.items():
        if line:
            x, estimates = zip(*line, strict=True)
            y, error = ([getattr(e, part) for e in estimates] for part in ("value", "error"))
            # Of a long name, such as a path, the end: it leaves the plot its room.
            label = "".join(each if each.isprintable() else " " for each in name)
            label = label if len(label) <= _LONGEST_LABEL else f"…{label[1 - _LONGEST_LABEL :]}"
            label = label.replace("$", r"\$")  # which would begin a formula
            axes.errorbar(x, y, error, label=label, marker="o", markersize=3, capsize=2)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    if log:
        amounts = sorted({x for line in series.values() for x, _ in line})
        axes.set_xscale("symlog", linthresh=min(filter(None, amounts), default=1.0))
        axes.set_xticks(amounts, [f"{amount:,.0f}" for amount in amounts])
        axes.minorticks_off()
    axes.grid(color="0.9")
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(content := io.BytesIO(), metadata={"Software": f"npfill {__version__}"})
    return content.getvalue()


def _counts(results: Results) -> str:
    """The numbers of pictures that each predictor was measured on."""
    groups: dict[str, list[str]] = {}
    for name in results.predictors:
        counts = {result.pictures for result in results.results if result.predictor == name}
        text = " or ".join(str(count) for count in sorted(counts, reverse=True))
        groups.setdefault(text, []).append(name)
    if len(groups) == 1:
        return next(iter(groups))
    return ", ".join(f"{counts} ({as_cell(', '.join(who))})" for counts, who in groups.items())
