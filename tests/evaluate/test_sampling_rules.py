"""Rules of measuring, compared: `npfill evaluate --sampling`."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.evaluate import evaluate
from npfill.evaluate.protocol import Estimate
from npfill.evaluate.sampling import SHARES, SamplingResults, evaluate_sampling
from npfill.evaluate.tnp import evaluate_tnp
from tests.conftest import of, wrong_types


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    """A folder of two fields, one of them in thousands."""
    rows, columns = np.mgrid[:20, :30]
    for name, unit in (("a", 1.0), ("b", 1000.0)):
        np.save(tmp_path / f"{name}.npy", unit * (np.sin(rows / 4) + columns / 9))
    return tmp_path


@pytest.mark.slow
def test_every_rule_has_a_score_at_every_share(fields: Path) -> None:
    asked: list[str] = []
    found = evaluate_sampling(
        of("convcnp", channels=1),
        fields,
        rules=["random", "next"],
        on_picture=asked.append,
    )
    assert [*found.psnr] == ["random", "next", "low-discrepancy"]
    assert asked == ["random"] * 2 + ["next"] * 2 + ["low-discrepancy"] * 2
    assert (found.pictures, found.sizes) == (2, "30x20")
    for line in found.psnr.values():
        assert len(line) == len(SHARES)
        assert line[-1].value > line[0].value
    head, *rows = found.rows()
    assert head[1:] == [*found.psnr]
    assert len(rows) == 2 * len(SHARES) + 1


def test_a_share_is_found_between_those_that_were_measured() -> None:
    def line(values: list[float]) -> list[Estimate]:
        return [Estimate(value, 0.0, 1) for value in values]

    basis = [float(k) for k in range(len(SHARES))]
    psnr = {
        "low-discrepancy": line(basis),
        "better": line([value + 0.5 for value in basis]),
        "worse": line([value - 0.5 for value in basis]),
    }
    found = SamplingResults("m", 1, "1x1", psnr, psnr).reached()
    assert found["low-discrepancy"] == SHARES[-1]
    assert found["better"] == pytest.approx(math.sqrt(SHARES[-2] * SHARES[-1]))
    assert math.isnan(found["worse"])


@wrong_types
@pytest.mark.parametrize("images", [0, -1, "all"])
def test_no_pictures_are_no_number_of_them(fields: Path, images: Any) -> None:
    model = of("convcnp", channels=1)
    with pytest.raises(UsageError, match="`images="):
        evaluate_sampling(model, fields, images=images)
    with pytest.raises(UsageError, match="`images="):
        evaluate(["nearest"], fields, images=images)
    with pytest.raises(UsageError, match="`images="):
        evaluate_tnp([model], fields, images=images)


def test_fields_that_miss_values_and_unknown_rules_are_refused(fields: Path) -> None:
    model = of("convcnp", channels=1)
    with pytest.raises(UsageError, match="guess"):
        evaluate_sampling(model, fields, rules=["guess"])
    np.save(fields / "a.npy", np.array([[1.0, np.nan], [2.0, 3.0]]))
    with pytest.raises(InputError, match=r"a\.npy"):
        evaluate_sampling(model, fields)


@pytest.mark.slow
def test_photographs_are_brought_to_a_size(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (20, 200, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "one.png")
    model = of("convcnp", channels=3)
    found = evaluate_sampling(model, tmp_path, photos=True, rules=[])
    assert found.sizes == "192x19"
