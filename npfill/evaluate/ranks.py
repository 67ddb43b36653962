"""The rank of the truth among samples: a histogram that is flat where the truth is one of them."""

from functools import partial

import torch

from npfill.evaluate.case import Case
from npfill.evaluate.metrics import Score, metric
from npfill.evaluate.protocol import Results
from npfill.evaluate.report import draw_lines

# The parts of the histogram, in order.
RANKS = tuple(f"rank_{number}" for number in range(1, 6))
# A value counts where the samples differ by more than a level of 8 bits.
_LEVEL = 1 / 255


def _rank(case: Case, part: int) -> Score | None:
    """The share of values whose rank lies in a part; those of a tie are as likely one as another.

    A rank r of 0 to n is spread over r / (n + 1) to (r + 1) / (n + 1).
    """
    if case.samples is None or len(case.samples) < 2:
        return None
    low, high = case.samples.aminmax(dim=0)
    counted = (~case.observed & (high - low > _LEVEL)).flatten(1)
    below, ties = (case.samples < case.pictures).sum(0), (case.samples == case.pictures).sum(0)
    first, last = below / (len(case.samples) + 1), (below + ties + 1) / (len(case.samples) + 1)
    least, most = part / len(RANKS), (part + 1) / len(RANKS)
    inside = (last.clamp(max=most) - first.clamp(min=least)).clamp(min=0) / (last - first)
    return torch.where(counted, inside.flatten(1), 0).sum(1) / counted.sum(1)


for _number, _name in enumerate(RANKS):
    metric(
        _name,
        f"Rank of the truth, part {_number + 1}",
        f"share of the hole's values whose rank among the samples lies in part {_number + 1} of "
        f"{len(RANKS)}, from below them to above; {1 / len(RANKS):g} in each is right",
        tabled=False,
    )(partial(_rank, part=_number))


def plots(results: Results) -> dict[str, bytes]:
    """The histogram of each kind of context, with a line for each that draws samples, as PNGs."""
    found = {}
    for kind in results.contexts:
        scores = {
            name: [results.score(name, kind, rank) for rank in RANKS] for name in results.predictors
        }
        lines = {
            name: [(float(part), each) for part, each in enumerate(line, 1) if each is not None]
            for name, line in scores.items()
        }
        if any(lines.values()):
            found[f"ranks-{kind.name.replace(':', '-').replace(' ', '-')}.png"] = draw_lines(
                f"Rank of the truth among samples, {kind.name}",
                "part of the ranks, from below all samples to above",
                f"share of values; {1 / len(RANKS):g} is right",
                lines,
            )
    return found
