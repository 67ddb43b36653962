"""Recipes with mistakes in them."""

from pathlib import Path

from tests.corpus.nasty import DONE, INPUT, MODEL, USAGE, Nasty

GOOD = (Path(__file__).parents[1] / "recipe_tiny.toml").read_text("utf-8")
_RANGE = "is out of range"


def changed(before: str, after: str) -> bytes:
    """A recipe that works, but for one thing."""
    assert before in GOOD
    return GOOD.replace(before, after, 1).encode()


def _line(before: str, after: str, code: int, says: str) -> Nasty:
    return Nasty(lambda: changed(before, after), code, says)


RECIPES = {
    "good.toml": Nasty(GOOD.encode, DONE, ""),
    "marked.toml": Nasty(lambda: GOOD.encode("utf-8-sig"), DONE, ""),
    "empty.toml": Nasty(lambda: b"", USAGE, "no table 'data'"),
    "text.toml": Nasty(lambda: b"train a model, please", USAGE, "not a recipe"),
    "json.toml": Nasty(lambda: b'{"model": {}}', USAGE, "not a recipe"),
    "bytes.toml": Nasty(lambda: bytes(range(256)), INPUT, "cannot be read"),
    "wide.toml": Nasty(lambda: GOOD.encode("utf-16"), INPUT, "cannot be read"),
    "cut.toml": Nasty(lambda: GOOD.encode()[:100], USAGE, "not a recipe"),
    "deep.toml": Nasty(lambda: b"a = " + b"[" * 100_000, USAGE, "not a recipe"),
    "long-number.toml": Nasty(lambda: b"a = " + b"9" * 10_000, USAGE, "not a recipe"),
    "twice.toml": Nasty((GOOD + "[run]\n").encode, USAGE, "not a recipe"),
    "no-model.toml": Nasty(GOOD[GOOD.index("[data]") :].encode, USAGE, "no table 'model'"),
    "number-for-a-table.toml": Nasty(
        lambda: b"data = 3\n" + changed("[data]", "[data2]"), USAGE, "unknown table 'data2'"
    ),
    "number-for-a-model.toml": Nasty(
        lambda: b"model = 3\n" + GOOD[GOOD.index("[data]") :].encode(), USAGE, "model"
    ),
    "tables-for-a-table.toml": _line("[run]", "[[run]]", USAGE, "run"),
    "unknown-table.toml": _line("[run]", "[extra]\n[run]", USAGE, "unknown table 'extra'"),
    "both.toml": _line("[run]", "[damage]\n[run]", USAGE, "[holes] for pictures"),
    "unknown-key.toml": _line("batch =", "bach =", USAGE, "unknown key 'bach'"),
    "missing-key.toml": _line("batch = 4", "", USAGE, "key 'batch' is missing"),
    "unknown-variant.toml": _line('"np"', '"os.system"', MODEL, "unknown variant 'os.system'"),
    "number-for-a-variant.toml": _line('"np"', "3", MODEL, "unknown variant '3'"),
    "words-for-a-number.toml": _line("steps = 60", 'steps = "many"', USAGE, "steps is 'many'"),
    "half-a-step.toml": _line("steps = 60", "steps = 60.5", USAGE, "steps is 60.5"),
    "truth-for-a-number.toml": _line("steps = 60", "steps = true", USAGE, "steps is True"),
    "date.toml": _line("steps = 60", "steps = 2026-01-01", USAGE, "steps is datetime.date"),
    "number-for-a-list.toml": _line(
        "latent_hidden = [8]", "latent_hidden = 8", MODEL, "not a list"
    ),
    "two-channels.toml": _line("channels = 1", "channels = 2", USAGE, "channels = 2"),
    "one-pixel.toml": _line("size = 8", "size = 1", MODEL, _RANGE),
    "no-size.toml": _line("size = 8", "size = 0", MODEL, _RANGE),
    "absurd-size.toml": _line("size = 8", "size = 1000000000", MODEL, _RANGE),
    "absurd-layers.toml": _line("[8, 8]", "[99999, 8]", MODEL, _RANGE),
    "no-floor.toml": _line("scale_floor = 0.05", "scale_floor = nan", MODEL, _RANGE),
    "no-steps.toml": _line("steps = 60", "steps = 0", USAGE, _RANGE),
    "negative-batch.toml": _line("batch = 4", "batch = -4", USAGE, _RANGE),
    "absurd-batch.toml": _line("batch = 4", "batch = 1000000000000", USAGE, _RANGE),
    "absurd-seed.toml": _line("seed = 0", "seed = 99999999999999999999999", USAGE, _RANGE),
    "never-saved.toml": _line("save_every = 10", "save_every = 0", USAGE, _RANGE),
    "never-validated.toml": _line("validate_every = 20", "validate_every = 0", USAGE, _RANGE),
    "no-rate.toml": _line("learning_rate = 1e-3", "learning_rate = nan", USAGE, _RANGE),
    "endless-rate.toml": _line("learning_rate = 1e-3", "learning_rate = inf", USAGE, _RANGE),
    "growing-weights.toml": _line("weight_decay = 1e-4", "weight_decay = -1.0", USAGE, _RANGE),
    "no-average.toml": _line("ema = 0.99", "ema = 1.0", USAGE, _RANGE),
    "negative-share.toml": _line("half = 0.1", "half = -0.1", USAGE, _RANGE),
    "no-share.toml": _line(
        "random = 0.7\nhalf = 0.1\nbox = 0.1\nstrokes = 0.1",
        "random = 0\nhalf = 0\nbox = 0\nstrokes = 0",
        USAGE,
        "no family of holes has a share",
    ),
    "nothing-observed.toml": _line("fewest = 1", "fewest = 0", USAGE, _RANGE),
    "more-than-most.toml": _line("fewest = 1", "fewest = 41", USAGE, "fewest = 41, most = 40"),
    "nothing-held-out.toml": _line("validation = 8", "validation = 0", USAGE, _RANGE),
}
