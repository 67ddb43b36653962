"""Random generators that depend on what they are for, and on nothing that ran before."""

import hashlib

import numpy as np
import torch


def generator(*words: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for, say, (seed, "sample", 3): equal words give equal draws, always."""
    seeded = torch.Generator(device)
    plain = tuple(word if isinstance(word, str) else int(word) for word in words)
    digest = hashlib.sha256(repr(plain).encode()).digest()
    seeded.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return seeded


def array_generator(*words: int | str) -> np.random.Generator:
    """The same for NumPy."""
    return np.random.default_rng(generator(*words).initial_seed())
