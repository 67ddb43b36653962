"""Weights written long ago are still read, and still give the answers that they gave."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from npfill import checkpoint
from npfill.context import Context, Targets

# Files of format 1 and, in a folder of their own, the same of format 2, written by
# `checkpoint.save` from the tiny models of `conftest.py`, and beside the first what
# `Conditioned.predict` answered. They are never written again: a reader that
# fails here cannot read what users have. A variant that is younger than format 1 has its answer
# beside its file of format 2; that of `convcnp-field` was written again once, as it hung on
# rounding: pixels times 1.0001 changed it by 0.15.
FROZEN = Path(__file__).parent / "frozen"
FILES = sorted(FROZEN.glob("*.safetensors"))
YOUNG = sorted(
    path for path in FROZEN.glob("2/*.safetensors") if path.with_suffix(".json").exists()
)
NEWER = sorted(set(FROZEN.glob("2/*.safetensors")) - {*YOUNG})


def answer(path: Path, asked: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Mean and scale at the targets, for the context and the draws of z that were asked."""
    model = checkpoint.load(path).model
    pixels, observed = torch.tensor(asked["pixels"]), torch.tensor(asked["observed"])
    conditioned = model.condition(Context(pixels, observed))
    z = None
    if conditioned.latent is not None:
        noise = torch.tensor(asked["noise"]).unsqueeze(1)
        z = conditioned.latent.rsample(noise)
    predicted = conditioned.predict(z, Targets(torch.tensor(asked["targets"]), (6, 6)))
    return {"mean": predicted.mean, "scale": predicted.scale}


def test_every_variant_is_frozen() -> None:
    assert {path.stem.split("-")[0] for path in FILES} == {"cnp", "lcnp", "np", "anp", "convcnp"}
    assert [path.stem for path in YOUNG] == ["convcnp-field"]


@pytest.mark.parametrize("path", FILES + YOUNG, ids=lambda path: path.stem)
def test_a_file_gives_the_answer_it_gave(path: Path) -> None:
    asked = json.loads((FROZEN / "asked.json").read_text("utf-8"))
    given = json.loads(path.with_suffix(".json").read_text("utf-8"))
    for name, value in answer(path, asked).items():
        torch.testing.assert_close(value, torch.tensor(given[name]), rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("path", NEWER, ids=lambda path: path.stem)
def test_a_file_of_format_2_is_the_model_of_format_1(path: Path) -> None:
    new, old = (checkpoint.load(each).model for each in (path, FROZEN / path.name))
    assert new.config == old.config
    ours = old.state_dict()
    assert ours.keys() == new.state_dict().keys()
    assert all(torch.equal(ours[name], value) for name, value in new.state_dict().items())


def test_files_are_of_the_format_that_their_folder_says() -> None:
    for paths, number in ((FILES, 1), (NEWER + YOUNG, 2)):
        headers = [checkpoint.load_tensors(path)[1]["npfill"] for path in paths]
        assert {json.loads(header)["format"] for header in headers} == {number}
    assert [path.name for path in NEWER] == [path.name for path in FILES]
