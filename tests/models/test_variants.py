"""A new variant is a file of its own and a line in the table."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import npfill
from npfill import checkpoint
from npfill.cli import main
from npfill.context import Context, Targets
from npfill.errors import ModelError
from npfill.gaussian import Gaussian
from npfill.models import VARIANTS, NeuralProcess, config_of
from npfill.models.base import Channels, ScaleFloor
from npfill.models.parts.layers import Size
from tests.conftest import TINY


@dataclass(frozen=True, kw_only=True)
class FlatConfig:
    latent: ClassVar[int] = 0
    channels: Channels
    size: Size
    scale_floor: ScaleFloor

    def __post_init__(self) -> None:
        if self.size % 2:
            raise ValueError(f"size = {self.size} is odd", "make it even")


class Flat(NeuralProcess):
    """The mean of what is observed, everywhere, with one learned scale."""

    variant = "flat"
    configuration = FlatConfig
    summary = "one number for a picture"
    limits = "everything else"
    default_sampler = "independent"

    def __init__(self, config: FlatConfig) -> None:
        super().__init__(config)
        self.log_scale = nn.Parameter(torch.zeros(config.channels))

    def encode(self, context: Context) -> Tensor:
        values, mask = context.values(), context.mask().unsqueeze(-1)
        return (values * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)

    def predict(self, encoded: Tensor, z: Tensor | None, targets: Targets) -> Gaussian:
        mean = encoded.expand(-1, targets.index.shape[-1], -1)
        scale = self.config.scale_floor + self.log_scale.exp()
        return Gaussian(mean, scale.expand_as(mean))


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(VARIANTS, "flat", Flat)
    text = TINY.read_text("utf-8")
    model = '[model]\nvariant = "flat"\nchannels = 1\nsize = 8\nscale_floor = 0.05\n\n'
    (tmp_path / "flat.toml").write_text(model + text[text.index("[data]") :], "utf-8")
    return tmp_path / "flat.toml"


@pytest.mark.slow
def test_a_variant_from_outside_is_trained_kept_and_completes(
    recipe: Path, tmp_path: Path, pictures: Path
) -> None:
    run = tmp_path / "run"
    words = [str(recipe), "schedule.steps=3", "--data", str(pictures), "--device", "cpu"]
    with pytest.raises(SystemExit) as stop:
        main(["train", *words, "--run-dir", str(run)])
    assert not stop.value.code
    model = checkpoint.load(run / "last.safetensors").model
    assert isinstance(model, Flat)
    assert not model.has_latent
    assert model.log_scale.abs().sum() > 0
    picture = np.full((8, 8), 0.25)
    hole = np.zeros((8, 8), dtype=bool)
    hole[2:5, 2:5] = True
    completion = npfill.complete(picture, hole, model=str(run / "last.safetensors"), samples=1)
    np.testing.assert_allclose(completion.mean, 0.25, atol=1e-6)


def test_its_configuration_checks_itself(recipe: Path) -> None:
    fields = {"channels": 1, "size": 7, "scale_floor": 0.1}
    with pytest.raises(ModelError, match="a test: size = 7 is odd") as error:
        config_of("flat", fields, "a test")
    assert error.value.hint == "make it even"
