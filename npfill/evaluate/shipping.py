"""A finished run becomes shipped weights: the file, its row in the zoo and its card."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from npfill import checkpoint, zoo
from npfill.errors import InputError
from npfill.evaluate.protocol import COMMON_FLOOR, at_random_counts
from npfill.images.writing import write_bytes
from npfill.records import as_toml
from npfill.shipped import folder
from npfill.zoo import Entry

# What the scores of a card are measured with.
_TEST_IMAGES = 1000
_LATENTS = 64

_FIGURES = {
    "cnp": "a conditional neural process: the mean of point encodings, and no latent. "
    "It has no coherent samples: its pixels are independent given the context",
    "lcnp": "a latent conditional neural process: everything passes through one latent z. "
    "The bottleneck costs detail: with every pixel observed it is still not pixel-perfect",
    "np": "a neural process: a deterministic and a latent path, both through means. "
    "The means cost detail: it does not reproduce its context exactly",
    "anp": "an attentive neural process: self-attention over the context, cross-attention from "
    "each target to it, and a latent path. Its time grows with context times hole",
}


def ship(name: str, weights: Path, images: UInt8[Tensor, "image channel size size"]) -> Path:
    """Take weights into `pretrained/`, measured on test pictures as they will be shipped.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        images: Test pictures, bytes; the first 1,000 are used.

    Returns:
        The file that was written; its card lies beside it.

    Raises:
        InputError: No recipe has this name, or the weights are not from a training run.
    """
    if not (folder("train") / f"{name}.toml").is_file():
        raise InputError(f"no recipe train/{name}.toml", "weights and recipes go by the same name")
    trained = checkpoint.load(weights)
    if "recipe" not in trained.provenance:
        raise InputError(f"{weights}: not from a training run", "npfill models add RUN_DIR")
    target = folder("pretrained") / f"{name}.safetensors"
    # Rounded to half precision first, so that what is measured is what is shipped. Nothing of the
    # zoo changes before all is measured.
    model = trained.model.half().float().to(images.device)
    scores = at_random_counts(model, images[:_TEST_IMAGES], _LATENTS)
    scores |= {"images": len(images[:_TEST_IMAGES]), "latents": _LATENTS}
    provenance = trained.provenance | {"scores": scores}
    checkpoint.save(target, model, provenance, half=True)
    entry = _entry(target, model, provenance)
    rows = zoo.entries() | {name: entry}
    text = as_toml({row: asdict(rows[row]) for row in sorted(rows)})
    write_bytes(
        folder("pretrained") / "zoo.toml", f"# Written by `npfill models add`.\n\n{text}".encode()
    )
    card = _card(name, entry, provenance, model.config.scale_floor)
    write_bytes(target.with_suffix(".md"), card.encode())
    return target


def _entry(path: Path, model: Any, provenance: dict[str, Any]) -> Entry:
    scores = provenance["scores"]
    return Entry(
        file=path.name,
        bytes=path.stat().st_size,
        sha256=zoo.sha256_of(path),
        variant=model.variant,
        channels=model.config.channels,
        size=model.config.size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        data=provenance["dataset"],
        terms=provenance["terms"],
        steps=provenance["steps"],
        counts=tuple(scores["counts"]),
        mse=tuple(round(value, 6) for value in scores["mse"]),
        log_likelihood=tuple(round(value, 4) for value in scores["log_likelihood"]),
        floored_log_likelihood=tuple(round(value, 4) for value in scores["floored_log_likelihood"]),
    )


def _card(name: str, entry: Entry, provenance: dict[str, Any], floor: float) -> str:
    scores = provenance["scores"]
    keys = ("mse", "log_likelihood", "floored_log_likelihood", "kl")
    table = "\n".join(
        f"| {count} | {error:.4f} | {likelihood:.3f} | {floored:.3f} | {kl:.2f} |"
        for count, error, likelihood, floored, kl in zip(
            scores["counts"], *(scores[key] for key in keys), strict=True
        )
    )
    minutes = provenance["seconds"] / 60
    steps_before = provenance.get("steps_before", 0)
    before = f", going on from weights of {steps_before:,} steps" if steps_before else ""
    return f"""# {name}

<!-- Written by `npfill models add`: do not edit. -->

This is {_FIGURES[entry.variant]}.

- Pictures: {"grey" if entry.channels == 1 else "RGB"}, trained at {entry.size}x{entry.size}.
- Data: {entry.data}. Terms: {entry.terms}.
- Recipe: `npfill train {name}`, seed {provenance["seed"]}; the text is in the file's metadata.
- Trained for {entry.steps:,} steps in {minutes:.0f} minutes on {provenance["hardware"]}{before}.
- {entry.parameters:,} parameters in half precision, {entry.bytes:,} bytes, sha256
  `{entry.sha256}`.

## Scores

The first {scores["images"]:,} test pictures, random context pixels, all other pixels as targets.
LL is joint, in nats per target pixel, with the model's own floor under the scale and with one of
{COMMON_FLOOR}. KL is what the whole picture would tell of z beyond the context, in nats; z
comes from the context, in {scores["latents"]} draws. A variant without z has a KL of 0.

| context pixels | MSE | LL, floor {floor} | LL, floor {COMMON_FLOOR} | KL |
| --- | --- | --- | --- | --- |
{table}
"""
