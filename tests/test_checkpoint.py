"""A model and one file: what is written is read back, and nothing else is."""

import json
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from npfill import checkpoint
from npfill.context import Context, Targets
from npfill.errors import InputError, ModelError
from npfill.models import NeuralProcess
from npfill.sampling import draws
from tests.conftest import tiny


def predict(model: NeuralProcess, context: Context) -> torch.Tensor:
    latent = model.infer(context)
    z = None if latent is None else draws(latent, 0, "test", 2)
    return model.predict(model.encode(context), z, Targets.every((6, 6))).mean


def a_context() -> Context:
    generator = torch.Generator().manual_seed(0)
    observed = torch.rand(1, 1, 6, 6, generator=generator) < 0.5
    return Context(torch.rand(1, 2, 6, 6, generator=generator), observed)


@pytest.mark.slow
def test_a_model_read_back_predicts_the_same(model: NeuralProcess, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, model, {"seed": 3})
    weights = checkpoint.load(path)
    assert weights.provenance == {"seed": 3}
    assert weights.model.config == model.config
    assert not weights.model.training
    torch.testing.assert_close(
        predict(weights.model, a_context()), predict(model.float(), a_context())
    )


@pytest.mark.slow
def test_half_precision_halves_the_file_and_hardly_moves_a_prediction(
    model: NeuralProcess, tmp_path: Path
) -> None:
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    checkpoint.save(whole, model, {})
    checkpoint.save(half, model, {}, half=True)
    assert half.stat().st_size < whole.stat().st_size
    torch.testing.assert_close(
        predict(checkpoint.load(half).model, a_context()),
        predict(checkpoint.load(whole).model, a_context()),
        rtol=0.02,
        atol=0.01,
    )


@pytest.mark.slow
def test_equal_models_give_equal_bytes(model: NeuralProcess, tmp_path: Path) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    for path in (one, other):
        checkpoint.save(path, model, {"b": 1, "a": [2, 3]})
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_the_only_metadata_key_is_canonical_json(model: NeuralProcess, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, model, {"b": 1, "a": "ä"})
    _, metadata = checkpoint.load_tensors(path)
    assert list(metadata) == ["npfill"]
    header = json.loads(metadata["npfill"])
    assert header.keys() == {"format", "variant", "config", "provenance"}
    assert metadata["npfill"] == checkpoint.canonical(header)
    assert " " not in metadata["npfill"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, tiny("cnp"), {})
    before = path.read_bytes()

    def fails(*_: object) -> None:
        raise OSError("disk full")

    where = "npfill.files.os.fsync" if failing == "fsync" else "pathlib.Path.replace"
    monkeypatch.setattr(where, fails)
    with pytest.raises(InputError, match="disk full"):
        checkpoint.save(path, tiny("np"), {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_file_that_was_tampered_with_is_refused_or_is_another_model(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "tampered.safetensors"
    path.write_bytes(changed[: data.draw(st.integers(0, len(whole)))])
    try:
        weights = checkpoint.load(path)
    except ModelError as error:
        assert re.fullmatch(f"{re.escape(str(path))}.+", str(error))  # noqa: PT017 - not always
    else:
        assert all(value.isfinite().all() for value in weights.model.state_dict().values())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    checkpoint.save(path, tiny("cnp").float(), {"seed": 3})
    return path.read_bytes()


def test_what_a_file_says_of_itself_is_checked_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, tiny("anp").float(), {})
    tensors, metadata = checkpoint.load_tensors(path)
    header = json.loads(metadata["npfill"])
    header["config"] |= {"width": 4096, "heads": 1024, "decoder_hidden": [4096] * 32}
    checkpoint.save_tensors(path, tensors, {"npfill": checkpoint.canonical(header)})
    with pytest.raises(ModelError, match="not expected"):
        checkpoint.load(path)


def test_the_correlation_of_the_channels_is_kept_and_nothing_is_written_without_one(
    tmp_path: Path,
) -> None:
    model, path = tiny("cnp"), tmp_path / "model.safetensors"
    checkpoint.save(path, model, {})
    before, (tensors, metadata) = path.read_bytes(), checkpoint.load_tensors(path)
    assert "correlation" not in metadata["npfill"]
    model.correlation = (0.75,)
    checkpoint.save(path, model, {})
    assert checkpoint.load(path).model.correlation == (0.75,)
    again, _ = checkpoint.load_tensors(path)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in again.items())
    model.correlation = ()
    checkpoint.save(path, model, {})
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("said", [0.5, [2], [0.1, 0.2], ["a"], {"a": 1}, [None], [1e400]])
def test_what_is_no_correlation_is_refused(said: object, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, tiny("cnp"), {})
    tensors, metadata = checkpoint.load_tensors(path)
    header = json.loads(metadata["npfill"]) | {"correlation": said}
    checkpoint.save_tensors(path, tensors, {"npfill": json.dumps(header)})
    with pytest.raises(ModelError, match="correlation of channels"):
        checkpoint.load(path)
