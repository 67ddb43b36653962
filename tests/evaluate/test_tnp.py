"""The protocol of the transformer neural processes: its draws, and bits that are probabilities."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from npfill import zoo
from npfill.cli import main
from npfill.errors import UsageError
from npfill.evaluate.protocol import Estimate
from npfill.evaluate.tnp import TnpResults, _drawn, _of_levels, evaluate_tnp
from npfill.gaussian import Gaussian, factor_of
from npfill.seeds import generator
from tests.conftest import of


@pytest.mark.parametrize(("side", "most"), [(28, 200), (32, 200), (64, 800)])
def test_contexts_and_targets_are_drawn_as_published(side: int, most: int) -> None:
    pixels, seen, asked = torch.zeros(3, 1, side, side), [], []
    for number in range(60):
        context, targets = _drawn(pixels, 0, number)
        counts = context.mask().sum(1)
        assert (counts == counts[0]).all()
        seen.append(int(counts[0]))
        asked.append(targets.index.shape[1])
        assert 3 <= seen[-1] <= most - 4
        assert 3 <= asked[-1] <= most - 1 - seen[-1]
        assert not context.mask().gather(1, targets.index).any()
        assert not torch.equal(targets.index[0], targets.index[1])
    assert max(seen) > 0.8 * most
    assert len(set(seen)) > 30


@pytest.mark.parametrize("scale", [1e-3, 0.02, 0.3, 5.0])
def test_the_probabilities_of_all_levels_sum_to_one(scale: float) -> None:
    levels = (torch.arange(256, dtype=torch.float32) / 255).view(1, 256, 1)
    mean = torch.tensor([0.4]).expand(1, 1, 256, 1)
    each = _of_levels(Gaussian(mean, torch.full_like(mean, scale)), levels)
    assert each.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_the_probability_of_a_level_far_away_is_finite() -> None:
    mean = torch.zeros(1, 1, 2, 1)
    each = _of_levels(Gaussian(mean, torch.full_like(mean, 0.003)), torch.tensor([[[0.7], [0.0]]]))
    assert each[0, 0, 0] < -1000
    assert each.isfinite().all()


@pytest.mark.slow
def test_levels_of_channels_are_those_given_the_channels_before() -> None:
    """Where the scale is wide beside a level, the density times its width is the probability."""
    factor = factor_of([0.9, 0.7, 0.8], 3)
    mean = torch.rand(1, 4, 5, 3, generator=generator("mean"), dtype=torch.float64) / 2 + 0.25
    truth = (255 * mean[0]).round() / 255
    predicted = Gaussian(mean, torch.full_like(mean, 0.2), factor)
    dense = predicted.log_prob(truth).sum(-1) - 3 * math.log(255)
    torch.testing.assert_close(_of_levels(predicted, truth), dense, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(1.5, 0.25, 32), "1.500 ± 0.250"),
        (Estimate(1.5, math.nan, 16), "1.500"),
        (Estimate(2.9e40, 1e39, 32), "2.9e+40 ± 1e+39"),
    ],
)
def test_a_cell_is_short_and_has_the_error_that_is_known(estimate: Estimate, text: str) -> None:
    results = TnpResults(28, estimate.pictures, {"a": {"bits": estimate}})
    assert results.rows()[1] == ["bits", text]


@pytest.mark.slow
def test_models_are_scored_and_the_command_prints_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    np.save(tmp_path / "noise.npy", pictures)
    model = of("lcnp", 1)
    results = evaluate_tnp([model], tmp_path / "noise.npy", size=28, device="cpu")
    assert results.pictures == 32
    assert "has no test part: all its pictures are measured" in results.notes[-1]
    (scores,) = results.scores.values()
    again = evaluate_tnp([model], tmp_path / "noise.npy", size=28, device="cpu").scores
    assert [*again.values()] == [scores]
    assert len(scores) == 8
    # Noise of 256 levels alike has 8 bits, and no distribution says it in fewer.
    assert scores["bits, joint"].value > 7.9
    assert scores["bits, pointwise"].value > 7.9
    with pytest.raises(UsageError, match="baseline"):
        evaluate_tnp(["nearest"], tmp_path / "noise.npy")
    with pytest.raises(UsageError, match="pictures of 8x8 are too small") as refusal:
        evaluate_tnp([model], tmp_path / "noise.npy", size=8, device="cpu")
    assert "`size=28`" in refusal.value.hint
    with pytest.raises(UsageError, match="9 all pictures: a batch has 16"):
        evaluate_tnp([model], tmp_path / "noise.npy", size=28, images=9, device="cpu")
    weights = shutil.copy(zoo.find("cnp-mnist").path, tmp_path / "a|b.safetensors")
    words = ["evaluate", str(weights), "--protocol", "tnp", "--data", str(tmp_path / "noise.npy")]
    with pytest.raises(SystemExit) as end:
        main([*words, "--images", "16", "-o", str(tmp_path / "report")])
    assert not end.value.code
    assert "bits, joint" in capsys.readouterr().out
    page = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "bits, joint" in page
    assert "a\\|b.safetensors |" in page
    written = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert written["scores"][str(weights)]["bits, joint"]["pictures"] == 16
