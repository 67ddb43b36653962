"""The better of several predictors on each picture, by what they make of its visible pixels."""

from dataclasses import dataclass, replace

from npfill.notes import News
from npfill.predictor.drawn import Prediction
from npfill.predictor.neural import Array, Check, Chosen, HoleArray, Predictor
from npfill.predictor.self_check import SelfCheck, self_check


@dataclass(eq=False)
class BestPredictor(Predictor):
    """A choice among predictors, made for each picture anew.

    Visible pixels, in pieces like those of the hole, are hidden from each; the one with the least
    continuous ranked probability score completes the picture.

    Attributes:
        candidates: The predictors; the first is taken where too few pixels are visible.
    """

    candidates: tuple[Predictor, ...]
    variant = "choice"
    draws = "draws samples in the way of what it chooses"

    def chosen(
        self,
        picture: Array,
        hole: HoleArray,
        seed: int,
        wanted: HoleArray | None = None,
        *,
        bounded: bool = True,
    ) -> tuple[Predictor, SelfCheck | None, News]:
        """The one that completes a picture, its check if there was enough for it, and a note.

        The options are those of `self_check`.
        """
        checks = [
            self_check(each, picture, hole, seed, wanted, bounded=bounded)
            for each in self.candidates
        ]
        scores = [check.crps for check in checks]
        best = 0
        if all(check.pixels for check in checks):
            best = min(range(len(scores)), key=scores.__getitem__)
            others = (
                f"{score / scores[best]:.2f} times as large by {each.name}"
                for each, score in zip(self.candidates, scores, strict=True)
                if each is not self.candidates[best]
            )
            why = f"on {checks[best].pixels:,} visible pixels its error is the least: it is "
            why += ", ".join(others)
        else:
            why = "too few visible pixels to choose by"
        chosen, checked = self.candidates[best], checks[best] if checks[best].pixels else None
        return chosen, checked, News(f"completed by {chosen.name}; {why}")

    def _predict(
        self, picture: Array, hole: HoleArray, samples: int, seed: int, how: Chosen, check: Check
    ) -> Prediction:
        chosen, checked, told = self.chosen(picture, hole, seed)
        predicted = chosen.predict(
            picture, hole, samples=samples, seed=seed, check=check or checked, bounded=False
        )
        return replace(predicted, notes=(*predicted.notes, told))
