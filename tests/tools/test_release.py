"""From a run to the zoo, by the maintainers' command."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npfill import checkpoint, cli, files, zoo
from npfill.baselines import linear
from npfill.evaluate import classifier as judge
from npfill.seeds import array_generator, generator
from tests.conftest import TINY
from tools import classifier, release, shipping

FEW = ("--images", 6, "--draws", 2)
PHOTOGRAPHS = TINY.with_name("recipe_photographs.toml")


def ended(arguments: tuple[object, ...], main: object = release.main) -> int:
    """The exit code of a command line, in this process."""
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in arguments])  # type: ignore[operator]
    return int(stop.value.code or 0)


def release_it(*arguments: object) -> int:
    return ended(arguments)


def trained(recipe: Path, data: Path, run: Path, *changes: str) -> Path:
    words = ("train", recipe, *changes, "--data", data, "--run-dir", run, "--device", "cpu")
    assert ended(words, cli.main) == 0
    return run


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree without any weights."""
    top = tmp_path / "tree"
    (top / "pretrained").mkdir(parents=True)
    shutil.copytree(files.folder("train"), top / "train")
    shutil.copytree(files.folder("examples"), top / "examples")
    for module in (
        "npfill.zoo",
        *(f"tools.{one}" for one in ("card", "release", "shipping", "stages")),
    ):
        monkeypatch.setattr(f"{module}.folder", lambda name: top / name)
    return top


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps on noise."""
    top = tmp_path_factory.mktemp("finished")
    noise = array_generator("noise").integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.save(top / "noise.npy", noise)
    return trained(TINY, top / "noise.npy", top / "run", "schedule.steps=20")


@pytest.fixture
def run(tree: Path, finished: Path) -> Path:
    """The same, with a recipe `np-ramps` in the tree."""
    shutil.copy(finished / "recipe.toml", tree / "train" / "np-ramps.toml")
    return finished


@pytest.mark.slow
def test_a_finished_run_is_taken_into_the_zoo(run: Path, tree: Path) -> None:
    """The file, its row, its card and a picture are written, and the model has a name."""
    assert release_it("add", run, "--name", "np-ramps", *FEW) == 0
    entry = zoo.entries()["np-ramps"]
    weights = checkpoint.load(zoo.find("np-ramps").path)
    assert weights.provenance["steps"] == entry.steps == 20
    scores = weights.provenance["scores"]
    assert list(entry.mse) == [scores[f"random:{count}"]["mse"] for count in entry.counts]
    assert weights.model.calibration.abs().sum() > 0
    card = (tree / "pretrained" / "np-ramps.md").read_text()
    for value in entry.mse:
        assert f"{value:.4f}" in card
    assert "(np-ramps.png)" in card
    with Image.open(tree / "pretrained" / "np-ramps.png") as picture:
        assert picture.width > picture.height > 5 * 8
    suffixes = {path.suffix for path in (tree / "pretrained").iterdir()}
    assert suffixes == {".safetensors", ".md", ".png", ".toml"}
    written = (tree / "pretrained" / "np-ramps.md").read_bytes()
    assert release_it("cards") == 0
    assert (tree / "pretrained" / "np-ramps.md").read_bytes() == written


@pytest.mark.slow
def test_what_is_there_is_replaced_only_on_demand(
    run: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "pretrained" / "np-ramps.safetensors").write_bytes(b"weights")
    assert release_it("add", run, "--name", "np-ramps", *FEW) == 4
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert (tree / "pretrained" / "np-ramps.safetensors").read_bytes() == b"weights"
    assert release_it("add", run, "--name", "np-ramps", *FEW, "--overwrite") == 0
    assert zoo.find("np-ramps").sha256 == zoo.entries()["np-ramps"].sha256


@pytest.mark.slow
def test_a_failure_on_the_way_leaves_the_zoo_as_it_was(
    run: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert release_it("add", run, "--name", "np-ramps", *FEW) == 0
    before = {path: path.read_bytes() for path in (tree / "pretrained").iterdir()}

    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("tools.shipping._picture", fails)
    assert release_it("add", run, "--name", "np-ramps", *FEW, "--last", "--overwrite") == 1
    assert {path: path.read_bytes() for path in (tree / "pretrained").iterdir()} == before


@pytest.mark.parametrize(
    "name",
    [
        "my-v1.2",
        ".",
        "../np",
        "a b",
        "é",
        '"',
        "[np]",
        "np\n",
        "-np",
        "auto",
        "nearest",
        "a\x1b[1m",
    ],
)
def test_a_name_is_letters_digits_dashes_and_underscores_and_new(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release_it("add", tmp_path, f"--name={name}") == 2
    assert repr(name) in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", range(4))
def test_weights_and_their_row_are_those_before_or_those_after_whenever_it_is_killed(
    run: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    measured = checkpoint.load(run / "last.safetensors")
    monkeypatch.setattr(shipping, "_picture", lambda _: Image.new("L", (1, 1)))
    monkeypatch.setattr(shipping, "card_text", lambda *_: "")
    columns = dict.fromkeys(("counts", "mse", "log_likelihood", "floored_log_likelihood"), ())
    shipping.store("np-ramps", measured, columns)
    before = zoo.find("np-ramps").sha256
    done: list[Path] = []
    replace = Path.replace

    def replace_or_die(self: Path, target: Path) -> Path:
        if len(done) == killed_at:
            raise KeyboardInterrupt
        done.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_or_die)
    other = checkpoint.Weights(measured.model, measured.provenance | {"seconds": 12345})
    with pytest.raises(KeyboardInterrupt):
        shipping.store("np-ramps", other, columns)
    monkeypatch.undo()
    monkeypatch.setattr("npfill.zoo.folder", lambda name: tree / name)
    assert (zoo.find("np-ramps").sha256 == before) is (killed_at < 2)


def test_weights_without_a_recipe_of_their_name_are_not_taken(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release_it("add", run, "--name", "no-recipe") == 3
    assert "train/no-recipe.toml" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release_it("add", tmp_path) == 3
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_on_photographs_has_the_scores_of_every_kind_of_hole(
    tree: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for part, count in (("train", 4), ("val", 2)):
        (data / part).mkdir(parents=True)
        for number in range(count):
            coarse = array_generator(part, number).integers(0, 256, (4, 5, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((224 + 10 * number, 230))
            picture.save(data / part / f"{number}.png")
    shutil.copy(PHOTOGRAPHS, tree / "train" / "photographs.toml")
    run = trained(PHOTOGRAPHS, data, tmp_path / "run")
    assert release_it("add", run, "--name=photographs", f"--data={data / 'val'}") == 0
    entry = zoo.entries()["photographs"]
    assert len(entry.psnr) == len(entry.contexts) == 6
    assert entry.counts == ()
    weights = checkpoint.load(zoo.find("photographs").path)
    assert weights.model.calibration.any()
    card = (tree / "pretrained" / "photographs.md").read_text("utf-8")
    assert "| keep 5 % |" in card
    assert "| scratches |" in card


def test_linear_is_fitted_to_a_recipes_pictures(tree: Path, pictures: Path) -> None:
    (tree / "train" / "tiny.toml").write_bytes(TINY.read_bytes())
    assert release_it("linear", "tiny", "--data", pictures) == 0
    (path,) = (tree / "pretrained" / "baselines").iterdir()
    values = np.load(pictures) / 255
    assert linear.load(path).mean[0] == pytest.approx(values.mean(0), abs=0.02)
    assert release_it("linear", "tiny", "--data", pictures) == 4


def test_linear_is_not_fitted_without_a_recipe(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release_it("linear", "none", "--data", pictures) == 2
    assert "no recipe is called 'none'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_classifier_learns_from_few_pictures_and_is_written_and_read(tmp_path: Path) -> None:
    labels = torch.arange(512) % 2
    noise = torch.randint(0, 60, (512, 1, 28, 28), generator=generator("noise"), dtype=torch.uint8)
    images = noise + (labels * 150).view(-1, 1, 1, 1).to(torch.uint8)
    before = torch.random.get_rng_state()
    network = classifier.fit(images, labels)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert classifier.accuracy(network, images, labels) > 0.9
    path = tmp_path / "classifier.safetensors"
    classifier.save(path, network.half().float(), {"images": 512})
    again = judge.load(path)
    assert torch.equal(again(images.float()), network(images.float()))


def test_sets_of_faces_are_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        for part in ("train.zip", "test.zip"):
            (tmp_path / folder / part).write_bytes(b"precious")
    words = [str(tmp_path / each) for each in ("one", "other", "one")]
    monkeypatch.setattr("sys.argv", ["faces.py", *words])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(files.folder("train") / "faces.py"), run_name="__main__")
    assert (tmp_path / "one/train.zip").read_bytes() == b"precious"
