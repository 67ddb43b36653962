"""How samples look beside the original: their texture, their seams, and a network's opinion."""

import contextlib
import importlib
import io
from functools import cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill import scores
from npfill.evaluate.case import Case
from npfill.evaluate.metrics import Score, metric

Pictures = Float[Tensor, "batch channel height width"]
Masks = Bool[Tensor, "batch 1 height width"]

# Metrics of samples of photographs, in the order of reports.
LOOKS = (
    "sample_psnr",
    "samples_mean_psnr",
    "st_lpips",
    "band_fine",
    "band_middle",
    "band_coarse",
    "band_ring",
    "seam",
    "diversity",
    "spread",
    "sample_seconds",
)
_RING, _LEAST = 16, 24  # pixels around a hole, and of a side that ST-LPIPS takes
_KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


@metric("sample_psnr", "PSNR of a sample", "the first sample's in the hole, in dB", 2)
def _sample_psnr(case: Case) -> Score | None:
    first = _first(case)
    return None if first is None else scores.psnr(first, case.pictures, ~case.observed)


@metric(
    "samples_mean_psnr",
    "PSNR of the samples' mean",
    "of the mean of all samples in the hole, in dB; beside that of the predictive mean",
    2,
)
def _samples_mean_psnr(case: Case) -> Score | None:
    if case.samples is None or len(case.samples) < 2:
        return None
    return scores.psnr(case.samples.mean(0), case.pictures, ~case.observed)


@metric(
    "st_lpips",
    "ST-LPIPS",
    "perceptual distance of the first sample to the original, the whole picture; lower is better "
    "(Ghildyal and Liu 2022; with the extra `perceptual`)",
    4,
)
def _st_lpips(case: Case) -> Score | None:
    first, network = _first(case), _perceptual()
    if first is None or network is None or first.shape[1] != 3 or min(first.shape[2:]) < _LEAST:
        return None
    both = (2 * each.float().cpu() - 1 for each in (first, case.pictures))  # where the network is
    return network(*both).flatten().to(first.device)


def _enter_band(name: str, number: int, width: str) -> None:
    @metric(
        f"band_{name}",
        f"Texture, {width} px",
        f"log2 of the first sample's power in the hole in details of {width} px over the "
        "original's; 0 is alike",
        2,
    )
    def compute(case: Case) -> Score | None:
        first = _first(case)
        if first is None:
            return None
        drawn, there = (_power(each, ~case.observed, number) for each in (first, case.pictures))
        return torch.log2(drawn / there)


for _number, (_name, _width) in enumerate((("fine", "1-2"), ("middle", "2-4"), ("coarse", "4-8"))):
    _enter_band(_name, _number, _width)


@metric(
    "band_ring",
    "Texture, beside the ring",
    f"log2 of the first sample's power in details of 1-2 px over that in {_RING} px around",
    2,
)
def _band_ring(case: Case) -> Score | None:
    first, hole = _first(case), ~case.observed
    if first is None:
        return None
    ring = ~hole & (F.max_pool2d(hole.float(), 2 * _RING + 1, 1, _RING) > 0)
    return torch.log2(_power(first, hole, 0) / _power(first, ring, 0))


@metric(
    "seam",
    "Seam",
    "the first sample's mean step across the rim of the hole over that within 4 px of it; 1 is "
    "invisible",
    2,
)
def _seam(case: Case) -> Score | None:
    first, hole = _first(case), ~case.observed
    if first is None:
        return None
    near = (F.max_pool2d(hole.float(), 9, 1, 4) > 0) & (F.max_pool2d((~hole).float(), 9, 1, 4) > 0)
    sums = first.new_zeros(2, 2, len(first))
    for axis in (2, 3):
        step = first.diff(dim=axis).abs().mean(1, keepdim=True)
        before, after = (each.narrow(axis, 0, each.shape[axis] - 1) for each in (hole, near))
        rim = before != hole.narrow(axis, 1, hole.shape[axis] - 1)
        for number, where in enumerate((rim, after & ~rim)):
            sums[number] += torch.stack([(step * where).sum((1, 2, 3)), where.sum((1, 2, 3))])
    across, along = sums[:, 0] / sums[:, 1]
    return torch.where(along > 0, across / along, torch.nan)  # which a flat sample has not


@metric(
    "spread",
    "Spread of samples",
    "their standard deviation from each other over the predictive one, both as RMS in the hole",
    2,
)
def _spread(case: Case) -> Score | None:
    if case.samples is None or case.moments is None or len(case.samples) < 2:
        return None
    target = case.target.unsqueeze(-1)
    theirs = case.samples.var(0).flatten(2).mT
    drawn, said = ((each * target).sum((1, 2)) for each in (theirs, case.moments.scale.square()))
    return (drawn / said).sqrt()


def _first(case: Case) -> Pictures | None:
    """The first sample, pasted into the picture."""
    if case.samples is None:
        return None
    return torch.where(case.observed, case.pictures, case.samples[0])


def _power(pictures: Pictures, where: Masks, number: int) -> Float[Tensor, " batch"]:
    """Mean square of the details of a size: of an undecimated pyramid, the difference of levels."""
    finer, level = pictures, pictures
    for step in range(number + 1):
        finer, level = level, _blurred(level, 2**step)
    square = (finer - level).square() * where
    return square.sum((1, 2, 3)) / (where.sum((1, 2, 3)) * pictures.shape[1]) + 1e-12


def _blurred(pictures: Pictures, step: int) -> Pictures:
    """A blur by five taps so many pixels apart, down and across."""
    taps = pictures.new_tensor(_KERNEL).view(1, 1, -1)
    flat = F.pad(pictures.flatten(0, 1).unsqueeze(1), [2 * step] * 4, mode="replicate")
    down = F.conv2d(flat, taps.unsqueeze(-1), dilation=step)
    return F.conv2d(down, taps.unsqueeze(-2), dilation=step).view_as(pictures)


@cache
def _perceptual() -> torch.nn.Module | None:
    """The network of ST-LPIPS, with the weights of its package; None without that."""
    try:
        package = importlib.import_module("stlpips_pytorch.stlpips")
    except ImportError:
        return None
    with contextlib.redirect_stdout(io.StringIO()):
        return package.LPIPS(net="alex", variant="shift_tolerant")
