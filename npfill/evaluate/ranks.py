"""The rank of the truth among samples as plots: flat where the truth is one of them."""

from npfill.evaluate.agreement import RANKS
from npfill.evaluate.protocol import Results
from npfill.evaluate.report import draw_lines


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
