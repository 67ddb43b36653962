"""The report on a picture that was completed."""

from dataclasses import dataclass

from npfill.completion.completed import CompletedPicture
from npfill.completion.outputs import Result
from npfill.completion.words import unsure


@dataclass(frozen=True)
class Report:
    """The report on one picture that was completed.

    Attributes:
        done: The completed picture.
        results: The results that were written.
        seconds: The time that the prediction took.
        changed: The most pixels outside the hole that the format of a result has changed.
        changed_by: The most levels that one of them was changed by.
        notes: Sentences for the user on how it was made.
    """

    done: CompletedPicture
    results: list[Result]
    seconds: float
    changed: int
    changed_by: float
    notes: tuple[str, ...]

    @property
    def unsure(self) -> float:
        """The share of the hole that is a guess, if that is a twentieth or more; else 0."""
        done, hole = self.done, self.done.prepared.masked.anywhere
        if done.std is None or done.prepared.masked.picture.is_data:
            return 0.0
        share = float(unsure(done.std, hole).sum() / hole.sum())
        return share if share >= 0.05 else 0.0

    def as_json(self) -> dict[str, object]:
        """The report as JSON values."""
        done, selected = self.done, self.done.prepared.masked.hole
        return {
            "input": done.image,
            "image_sha256": done.text["npfill_image_sha256"],
            "mask_selected_px": int(done.prepared.hole.selected.sum()),
            "mask_selected_values": int(selected.sum()),
            "mask_share": float(selected.mean()),
            "mask_sha256": done.text["npfill_mask_sha256"],
            "model": done.model,
            "model_sha256": done.sha256,
            "device": done.device,
            "seed": done.sampling.seed,
            "sampler": done.sampling.sampler,
            "samples_are": done.samples_are or None,
            "seconds": self.seconds,
            "outside_changed_px": self.changed,
            "mean_std": done.mean_std,
            "check": None if done.check is None else done.check.as_json(),
            "open_px": int(done.still_open.any(axis=-1).sum()),
            "outputs": {each.name: str(each.path) for each in self.results},
        }
