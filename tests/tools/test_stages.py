"""Every weight says how it was made, by recipes that are kept and can be run."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from npfill import checkpoint, files, zoo
from npfill.cli import main
from npfill.errors import InputError
from npfill.seeds import array_generator
from npfill.training.recipe import has_model, parse
from tools.card import card_text
from tools.stages import origin, recipe_of, stages

WHOLE = {"cnp-celeba", "lcnp-celeba", "np-celeba"}


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.entries())
def test_the_recipe_in_the_weights_is_kept(name: str) -> None:
    """As train/NAME.toml where one run made them, else as the last stage; the rest is said."""
    provenance = checkpoint.load(zoo.find(name).path).provenance
    embedded, said = recipe_of(provenance, name), origin(name, provenance)
    whole = parse((files.folder("train") / f"{name}.toml").read_text("utf-8"), name)
    assert (embedded == whole) == (name in WHOLE)
    assert (" --data DATA" in said) == (embedded.data.kind != "fields")
    if name in WHOLE:
        assert f"`npfill train {name} --data DATA`, one run" in said
        assert not stages(name)
    else:
        assert stages(name)[-1].recipe == embedded
        assert all(stage.word in said for stage in stages(name))
        assert "which was never made" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.entries())
def test_the_card_is_what_the_release_tool_writes(name: str) -> None:
    weights = checkpoint.load(zoo.find(name).path)
    card = files.folder("pretrained") / f"{name}.md"
    assert card.read_text("utf-8") == card_text(name, zoo.entries()[name], weights)


@pytest.mark.slow
def test_stages_of_a_model_fit_one_another() -> None:
    for name in zoo.entries():
        said = origin(name, checkpoint.load(zoo.find(name).path).provenance).splitlines()
        for before, after in pairwise(stages(name)):
            assert has_model(after.recipe, before.recipe.model)
            made = range(before.start, before.end, before.recipe.run.validate_every)
            whole = after.start in made[1:] or after.start >= before.end  # the best, or the last
            (line,) = (each for each in said if f"{before.word} " in each)
            (following,) = (each for each in said if f"{after.word} " in each)
            assert line.endswith("stopped there.") == (not whole)
            left = f"{before.start}/{'best' if whole else 'last'}.safetensors"
            assert left in following or "--init WEIGHTS" in following
            assert before.start < after.start


@pytest.mark.slow
def test_stages_run_as_the_card_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    noise = array_generator("noise").integers(0, 256, (520, 28, 28), dtype=np.uint8)
    np.save("noise.npy", noise)
    commands = re.findall(r"`npfill (train stages.*?)`", text_of_card("cnp-mnist"))
    assert len(commands) == 2
    for command in commands:
        words = command.replace("DATA", "noise.npy").split()
        quick = ["schedule.steps=2", "schedule.batch=2", "run.validate_every=2", "--device=cpu"]
        with pytest.raises(SystemExit) as stop:
            main([*words, *quick])
        assert not stop.value.code


def text_of_card(name: str) -> str:
    return (files.folder("pretrained") / f"{name}.md").read_text("utf-8")


def test_weights_whose_recipe_is_not_kept_are_refused() -> None:
    provenance = checkpoint.load(zoo.find("cnp-mnist").path).provenance
    with pytest.raises(InputError, match="the recipe in the weights") as error:
        origin("cnp-mnist", provenance | {"steps_before": 3})
    assert "train/stages/cnp-mnist-3.toml" in error.value.hint
