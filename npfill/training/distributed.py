"""Training by several processes: each computes its share of every batch."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed, nn

from npfill import devices
from npfill.errors import UsageError


@dataclass(frozen=True)
class Rank:
    """The place of this process among those of a run.

    Attributes:
        number: Its number among all.
        count: How many there are.
        local: Its number among those of its machine.
    """

    number: int = 0
    count: int = 1
    local: int = 0

    @property
    def is_main(self) -> bool:
        """True for the one process that validates, writes and reports."""
        return self.number == 0

    def device(self, name: str) -> torch.device:
        """Return the device for a word of `devices.resolve`; of several CUDA devices, its own.

        Raises:
            UsageError: The device is not there, or several processes cannot share its kind.
        """
        found = devices.resolve(name)
        if self.count == 1:
            return found
        if found.type == "cuda":
            return devices.resolve(f"cuda:{self.local}")
        if found.type != "cpu":
            raise UsageError(f"several processes do not train on {found}", 'use `device="cpu"`')
        return found

    def check(self, batch: int) -> None:
        """Check that a batch can be shared.

        Raises:
            UsageError: It cannot.
        """
        if batch % self.count:
            raise UsageError(
                f"{self.count} processes do not divide schedule.batch = {batch}",
                "start another number of processes, or change schedule.batch",
            )


def from_environment() -> Rank:
    """Read the place that torchrun gave this process; without torchrun it is alone."""
    if not distributed.is_torchelastic_launched():
        return Rank()
    return Rank(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))


@contextmanager
def process_group(rank: Rank, device: torch.device) -> Iterator[None]:
    """Join the processes of a run, by NCCL on CUDA and by Gloo on the CPU."""
    if rank.count == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        # A rank that exits while a peer is in a collective aborts that peer.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


def all_reduce_sum(values: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
    """Sum over all processes, in place (all_reduce); the values themselves in a single process."""
    if distributed.is_initialized():
        distributed.all_reduce(values)
    return values


def average_gradients(model: nn.Module) -> None:
    """Average the gradients over all processes, in one message.

    `DistributedDataParallel` would send them while others are computed, which models this small
    hardly gain by; but its group's threads outlive the group, and at times abort a process that
    ends.
    """
    gradients = [each.grad for each in model.parameters() if each.grad is not None]
    message = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(message)
    message /= distributed.get_world_size()
    parts = message.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def barrier() -> None:
    """Wait for all processes."""
    if distributed.is_initialized():
        distributed.barrier()
