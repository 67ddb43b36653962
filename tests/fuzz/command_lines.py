"""Command lines at random: every command and option that there is, with values of all kinds."""

from random import Random
from typing import Any

import typer

from npfill.cli import app

_WORDS = (
    "", "-", "--", "0", "1", "2", "3", "-1", "1.5", "nan", "inf", "1e400", "9" * 30, "9" * 5000,
    "0,0,2,2", "0,0,99,99", "-1,0,1,1", "0,0,0,0", "1,2,3", "a", "alpha", "color:#ffffff",
    "color:#12345", "color:#000000~9", "mean", "mean,std", "sheet,npz", "samples", "x,,y", "keep",
    "png", "auto", "cpu", "cuda", "cuda:0", "meta", "latent", "independent", "autoregressive",
    "nearest", "linear", "telea", "biharmonic", "gp", "tiny.safetensors", "photo.png", "hole.png",
    "data.npy", "set", "none.png", ".", "..", "out", "out/", "out/x.png", "out.json", "/dev/null",
    "*.png", "[a]", "a\nb", "\udcff", "\x1b[31m", "é", "~", "$HOME", "hf://", "hf:a/b",
    "hf://a/b@main/x.safetensors", "anp-mnist", "convcnp-photo", "random:9", "9,3", "top-half",
    "keep:20", "text", "data.name=x", "schedule.batch=2", "model.latent=0", "=", "a.b.c=1",
)  # fmt: skip
# What works: with one of these, what else is wrong comes to be tried.
_BEGINNINGS: dict[str, tuple[str, ...]] = {
    "complete": ("photo.png", "--box", "0,0,2,2", "-m", "tiny.safetensors"),
    "check": ("photo.png", "photo.png", "--box", "0,0,2,2"),
    "explain": ("result.png",),
    "train": ("tiny.toml", "schedule.steps=1", "--data", "data.npy", "--device", "cpu"),
    "evaluate": ("nearest", "--data", "data.npy", "--images", "2", "--draws", "1", "--size", "8"),
    "fetch": ("anp-mnist",),
    "figure compare": ("photo.png", "--models", "nearest"),
    "figure reveal": ("photo.png", "-m", "tiny.safetensors", "--frames", "2"),
    "figure samples": ("photo.png", "-m", "tiny.safetensors", "--samples", "1"),
}
# Of these, large numbers ask for work, which is done.
_AMOUNTS = {"--samples", "--draws", "--images", "--frames", "--rounds", "--context", "--contexts"}
_LONG = {"train", "figure samples", "figure compare", "demo", "doctor"}  # with other data than ours


def commands() -> dict[str, list[Any]]:
    """The parameters of each command by its words."""
    found, waiting = dict[str, list[Any]](), [("", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        inner = getattr(command, "commands", {})
        waiting += [(f"{name} {key}".strip(), one) for key, one in inner.items()]
        if not inner:
            found[name] = list(command.params)
    return found


def command_line(random: Random, known: dict[str, list[Any]]) -> tuple[str, ...]:
    """A command line: sound at its beginning more often than not, with options of all kinds."""
    name = random.choice(sorted(known))
    words = list(_BEGINNINGS.get(name, ()))
    if words and name not in _LONG and random.random() < 0.2:
        words = words[: random.randrange(len(words))]
    options = [one for one in known[name] if one.param_type_name == "option"]
    for _ in range(random.randrange(4)):
        if not options:
            break
        option = random.choice(options)
        flag = random.choice(option.opts)
        words.append(flag)
        if not option.is_flag:
            value = random.choice(_WORDS)
            few = flag in _AMOUNTS and value.isdecimal()
            words.append(str(min(int(value[:4] or 0), 9)) if few else value)
    if random.random() < 0.3:
        words.insert(random.randrange(len(words) + 1), random.choice(_WORDS))
    return (*name.split(), *words)
