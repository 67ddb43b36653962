"""`npfill complete --window`: rasters larger than memory, by one process or by several."""

from typing import TYPE_CHECKING

from npfill.cli.console import Reporter, print_data, progress, say_terms

if TYPE_CHECKING:
    from npfill.cli.records import Record
    from npfill.completion import Windows


def in_windows(run: "Windows", reporter: Reporter, *, dry_run: bool, as_json: bool) -> "Record":
    """Complete one raster in windows, or a part of these; the record of what was done.

    A dry run says how many there are, and where results would be.
    """
    predictor = run.completer
    say_terms(reporter, predictor.name, predictor.terms)
    reporter.note(*run.selected.notes)
    todo, stays = run.mine(), 0
    said = f"{len(run.places):,} windows, {len(todo):,} to complete"
    reporter.say(f"{said} in this part" if run.part[1] > 1 else said)
    if dry_run:
        named = {name: str(file) for name, file in run.results.items()}
        if not as_json:
            print_data(f"{run.path} -> {', '.join(named.values())}")
        counts = {"windows": len(run.places), "to_complete": len(todo)}
        return {"input": str(run.path), **counts, "outputs": named, **reporter.said}
    if todo:
        with progress(None, "reading all of it", quiet=reporter.quiet):
            _ = run.agreed
    with progress(len(todo), run.path.name, quiet=reporter.quiet) as shown:
        for number in todo:
            stays += run.complete(number)
            shown.advance()
    if stays:
        reporter.note(f"{stays:,} px stay missing: nothing that is observed is near enough")
    with progress(None, "writing", quiet=reporter.quiet, lines=False) as shown:
        written = run.finish(shown.advance)
    outputs = {name: str(file) for name, file in written.items()}
    if written and "std" not in outputs:
        reporter.note(f"{predictor.name} gives no standard deviation: none is written")
    later = "this part is done; the part that is done last writes the results"
    reporter.say("wrote " + ", ".join(outputs.values()) if written else later)
    return {
        "input": str(run.path),
        "windows": len(run.places),
        "completed": len(todo),
        "missing_px": stays,
        "model": predictor.name,
        "outputs": outputs,
        **reporter.said,
    }
