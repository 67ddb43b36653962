"""`npfill complete --dry-run`: all but the model is read, and refused as in a run."""

from pathlib import Path
from typing import TYPE_CHECKING

from npfill.cli.console import Reporter, as_npfill_error, print_data
from npfill.cli.records import Record, Records, skipped

if TYPE_CHECKING:
    from npfill.completion import Run


def dry_run_of(run: "Run", reporter: Reporter, records: Records, as_json: bool) -> Record:
    """Do all but complete: a line for each picture, and the results that need no model."""
    records.begin(run)
    for job in run.jobs:
        image, words = str(job.file.path), job.masking.words
        heard = Reporter(quiet=True)
        try:
            prepared = run.prepare(job)
            shown = run.preview(job, prepared)
        except Exception as error:
            if not run.several:
                raise
            run.failures.append((job.file.path, as_npfill_error(error)))
            records.fail(*run.failures[-1])
            continue
        reporter.note(*prepared.notes)
        heard.note(*prepared.notes)
        outputs = {each.name: str(each.path) for each in job.results}
        record: Record = {
            "input": image,
            "mask": " and ".join(words),
            "mask_selected_px": int(prepared.hole.selected.sum()),
            "mask_selected_values": int(prepared.masked.hole.sum()),
            "mask_share": float(prepared.masked.hole.mean()),
            "outputs": outputs,
        }
        records.add(record | heard.said)
        if not as_json and Path("-") not in shown:
            masks = f" with {' and '.join(words)}" if words else ""
            print_data(f"{image}{masks} -> {', '.join(outputs.values())}")
        reporter.say(f"{image}: {prepared.description}" if run.several else prepared.description)
        if shown:
            reporter.say(f"wrote {', '.join(map(str, shown))}")
    if not run.several:
        return records.done[0] if records.done else skipped(run.skipped[0])
    return {"pictures": records.done, "skipped": [*map(str, run.skipped)], "notes": run.notes}
