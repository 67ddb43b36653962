"""Steps of several contestants, each in a process of its own, taken in turn."""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import clock_of
from npfill.devices import keep_memory
from npfill.files import folder
from npfill.training import learner as learning
from npfill.training.batch import draw
from npfill.training.learner import Learner
from npfill.training.objectives import loss
from npfill.training.recipe import Recipe, parse
from tests.reference.plain import PlainLearner

PICTURES = 2000
MATRIX = 2048


@dataclass(frozen=True)
class Contestant:
    """A way to take a step: `plain`, `float32`, `ours` or `compiled`, on a device."""

    kind: str
    recipe: str
    changes: tuple[str, ...]
    device: str


@dataclass(frozen=True)
class Standing:
    """What a contestant took.

    Attributes:
        seconds: The quickest step.
        images: Pictures of a step.
        operations: Multiplications and additions in matrix products of a step.
        loss: The loss of the first step.
        precision: What matrix products ran in.
    """

    seconds: float
    images: int
    operations: int
    loss: float
    precision: str


def contest(contestants: Sequence[Contestant], rounds: int) -> list[Standing]:
    """Everyone's quickest step of as many rounds, in which all take one after the other."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for contestant in contestants:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(contestant, there), daemon=True)
        process.start()
        pipes.append(here)
        processes.append(process)
    first = [_ask(pipe) for pipe in pipes]
    times = [[_ask(pipe) for pipe in pipes] for _ in range(rounds)]
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(False)
        process.join()
    best = [min(column) for column in zip(*times, strict=True)]
    return [Standing(seconds, *what) for seconds, what in zip(best, first, strict=True)]


def _ask(pipe: "Connection[Any, Any]") -> Any:
    pipe.send(True)
    return pipe.recv()


def _serve(contestant: Contestant, pipe: "Connection[Any, Any]") -> None:
    """Answer what a first step is, then the seconds of each step asked for."""
    device = torch.device(contestant.device)
    recipe = recipe_of(contestant.recipe, contestant.changes)
    learner = learner_of(contestant.kind, recipe, device)
    shape = (PICTURES, recipe.model.channels, recipe.model.size, recipe.model.size)
    noise = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=noise).to(device)

    def step(number: int) -> float:
        return float(learner.learn(draw(images, recipe, number), number).total.detach())

    pipe.recv()
    with FlopCounterMode(display=False) as counter:
        loss = step(0)
    precision = str(getattr(learner, "dtype", torch.float32)).removeprefix("torch.")
    pipe.send((recipe.schedule.batch, counter.get_total_flops(), loss, precision))
    clock = clock_of(device)
    step(1)
    # Every round is the same step: the number of observed pixels depends on the step.
    while pipe.recv():
        before = clock()
        step(1)
        pipe.send(clock() - before)


def recipe_of(name: str, changes: Sequence[str]) -> Recipe:
    """A shipped recipe with changes."""
    return parse((folder("train") / f"{name}.toml").read_text("utf-8"), name, changes)


def learner_of(kind: str, recipe: Recipe, device: torch.device) -> Any:
    """What takes the steps of a kind."""
    if kind == "plain":
        return PlainLearner(recipe, device)
    if device.type == "cpu":
        keep_memory()
    learner = Learner(recipe, device, shared=False)
    if kind == "float32":
        learner.dtype = torch.float32
    if kind == "compiled":
        vars(learning)["loss"] = torch.compile(loss)  # of this contestant's process alone
    return learner


def matrix_rate(device_name: str, precision: str) -> float:
    """Operations a second in the best of many products of square matrices."""
    device, dtype = torch.device(device_name), getattr(torch, precision)
    one, other = (torch.randn(MATRIX, MATRIX, device=device).to(dtype) for _ in range(2))
    clock, best = clock_of(device), float("inf")
    for _ in range(20):
        before = clock()
        one @ other
        best = min(best, clock() - before)
    return 2 * MATRIX**3 / best
