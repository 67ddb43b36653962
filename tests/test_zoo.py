"""Names become verified files, and what ships is what the zoo says."""

import shutil
from pathlib import Path

import pytest
import torch

import npfill
from npfill import checkpoint, zoo
from npfill.baselines import BASELINES
from npfill.errors import InputError, ModelError
from npfill.files import folder
from npfill.training.recipe import parse

# 24 MB, and 8 for each of the two flows, which may have four million parameters.
LARGEST_FILE, LARGEST_ZOO = 8 * 10**6, 40 * 10**6


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.entries())
def test_what_ships_is_what_its_row_says(name: str) -> None:
    entry = zoo.entries()[name]
    found = zoo.find(name)
    weights = checkpoint.load(found.path)
    assert found.sha256 == entry.sha256
    assert weights.model.variant == entry.variant
    assert (weights.model.config.channels, weights.model.config.size) == (
        entry.channels,
        entry.size,
    )
    assert sum(p.numel() for p in weights.model.parameters()) == entry.parameters
    assert weights.provenance["dataset"] == entry.data
    assert weights.provenance["terms"] == entry.terms
    assert weights.provenance["steps"] == entry.steps
    assert weights.provenance["steps_before"] == entry.steps_before
    card = found.path.with_suffix(".md").read_text("utf-8")
    assert entry.sha256 in card
    assert entry.terms in card


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.entries())
def test_the_recipe_of_a_weight_builds_its_configuration(name: str) -> None:
    recipe = parse((folder("train") / f"{name}.toml").read_text("utf-8"), name)
    assert checkpoint.load(zoo.find(name).path).model.config == recipe.model


@pytest.mark.parametrize("name", zoo.entries())
def test_the_page_of_models_has_each_and_says_what_is_not_free(name: str) -> None:
    page = (Path(__file__).parents[1] / "docs" / "models.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line]
    assert ("non-commercial" in row) == ("non-commercial" in zoo.entries()[name].terms)


def test_no_row_names_a_repository_that_is_not_there() -> None:
    assert not any(entry.repo for entry in zoo.entries().values())
    assert zoo.shipped() == zoo.entries()


def test_the_zoo_is_small() -> None:
    sizes = [entry.bytes for entry in zoo.entries().values()]
    assert sizes
    assert max(sizes) <= LARGEST_FILE
    assert sum(sizes) <= LARGEST_ZOO


def test_the_default_model_is_in_the_zoo() -> None:
    assert zoo.DEFAULT in zoo.entries()


def test_a_model_is_ready_to_predict_and_not_to_train() -> None:
    model = checkpoint.load(zoo.find(zoo.DEFAULT).path).model
    assert not model.training
    assert all(p.dtype == torch.float32 and not p.requires_grad for p in model.parameters())


@pytest.fixture
def copied_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the zoo that a test may damage."""
    shutil.copytree(folder("pretrained"), tmp_path / "pretrained")
    monkeypatch.setattr(zoo, "folder", lambda name: tmp_path / name)
    return tmp_path / "pretrained"


def test_a_changed_byte_is_found_before_the_file_is_parsed(copied_zoo: Path) -> None:
    path = copied_zoo / zoo.entries()[zoo.DEFAULT].file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="sha256"):
        npfill.load(zoo.DEFAULT)


def test_a_short_file_is_found(copied_zoo: Path) -> None:
    path = copied_zoo / zoo.entries()[zoo.DEFAULT].file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="bytes, not"):
        npfill.load(zoo.DEFAULT)


def test_a_missing_file_is_said(copied_zoo: Path) -> None:
    (copied_zoo / zoo.entries()[zoo.DEFAULT].file).unlink()
    with pytest.raises(ModelError, match="missing"):
        npfill.load(zoo.DEFAULT)


def test_an_unknown_name_suggests_a_near_one() -> None:
    with pytest.raises(ModelError) as error:
        npfill.load(zoo.DEFAULT.replace("-", "_"))
    assert zoo.DEFAULT in error.value.hint


def test_a_path_that_leads_nowhere_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors"):
        npfill.load(str(tmp_path / "none.safetensors"))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin", ".pkl"])
def test_pickles_are_refused_unread(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(b"anything")
    with pytest.raises(ModelError, match="pickled"):
        npfill.load(str(path))


def test_the_names_of_baselines_are_known_without_them() -> None:
    assert tuple(BASELINES) == zoo.BASELINES
