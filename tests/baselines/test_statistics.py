"""Moments of pictures, and the file they are kept in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from npfill import baselines
from npfill.baselines import linear
from npfill.baselines.linear import Linear, Statistics, fit
from npfill.errors import ModelError
from tests.baselines.conftest import a_gaussian
from tools import linear as writing
from tools.linear import save_statistics


def images(count: int, channels: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, 3, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("channels", [1, 3])
def test_moments_do_not_depend_on_how_pictures_are_chunked(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "_CHUNK", 7)
    fitted = fit(images(20, channels))
    values = images(20, channels).double().flatten(1).numpy() / 255
    assert fitted.mean.ravel() == pytest.approx(values.mean(0))
    assert fitted.covariance == pytest.approx(np.cov(values.T, bias=True), abs=1e-12)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "linear.safetensors"
    save_statistics(path, a_gaussian(1, 3, 4), {"dataset": "noise"})
    return path


def test_what_is_written_is_read_to_half_precision(written: Path) -> None:
    read, expected = linear.load(written), a_gaussian(1, 3, 4)
    assert read.mean == pytest.approx(expected.mean, abs=1e-6)
    assert read.covariance == pytest.approx(expected.covariance, abs=1e-3)


def test_components_that_are_left_out_still_count_in_the_variances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_COMPONENTS", 3)
    expected = a_gaussian(1, 3, 4).covariance
    save_statistics(tmp_path / "few.safetensors", a_gaussian(1, 3, 4), {})
    covariance = linear.load(tmp_path / "few.safetensors").covariance
    assert covariance.diagonal() == pytest.approx(expected.diagonal(), rel=1e-3)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert not np.allclose(covariance, expected, atol=1e-3)


def test_equal_statistics_make_equal_bytes(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    save_statistics(again, a_gaussian(1, 3, 4), {"dataset": "noise"})
    assert again.read_bytes() == written.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"mean": torch.zeros(12)},
        {"mean": torch.zeros(1, 3, 5)},
        {"mean": torch.full((1, 3, 4), torch.nan)},
        {"mean": torch.zeros(1, 3, 4, dtype=torch.float16)},
        {"components": torch.zeros(12, dtype=torch.float16)},
        {"components": torch.zeros(13, 2, dtype=torch.float16)},
        {"components": torch.full((12, 2), torch.inf, dtype=torch.float16)},
        {"components": torch.zeros(12, 2)},
        {"residual": torch.zeros(11)},
        {"residual": torch.full((12,), -1.0)},
        {"more": torch.zeros(1)},
    ],
)
def test_a_file_that_does_not_hold_statistics_is_refused(
    written: Path, change: dict[str, torch.Tensor]
) -> None:
    save_file(load_file(written) | change, written)
    with pytest.raises(ModelError, match=r"linear\.safetensors"):
        linear.load(written)


def test_a_file_that_lacks_a_tensor_is_refused(written: Path) -> None:
    save_file({"mean": load_file(written)["mean"]}, written)
    with pytest.raises(ModelError, match="holds mean"):
        linear.load(written)


@pytest.mark.parametrize("content", [b"", b"not a safetensors file"])
def test_what_is_no_safetensors_file_is_refused(written: Path, content: bytes) -> None:
    written.write_bytes(content)
    with pytest.raises(ModelError, match="not a safetensors file"):
        linear.load(written)


def test_a_missing_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linear, "file", tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="missing"):
        baselines.build("linear")


def test_the_bundled_file_is_small() -> None:
    assert Linear.file is not None
    assert Linear.file.stat().st_size <= 700_000


@pytest.mark.slow
def test_statistics_of_the_bundled_file_are_of_28x28_grey_pictures() -> None:
    assert Linear.file is not None
    bundled: Statistics = linear.load(Linear.file)
    assert bundled.mean.shape == (1, 28, 28)
    assert np.linalg.eigvalsh(bundled.covariance).min() > -1e-9
