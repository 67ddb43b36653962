"""A Gaussian process over the plane, fitted to each picture by itself."""

import math
import warnings
from types import ModuleType
from typing import Any, ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float

from npfill.baselines.base import (
    Baseline,
    BaselinePrediction,
    Hole,
    Picture,
    Points,
    cholesky,
    chosen,
    solved,
)

# The time grows with the cube of these.
_CONTEXT = 1000  # observed pixels that the process is conditioned on
_FITTED_TO = 250  # of them, pixels that the kernel is fitted to
_JOINT = 4096  # pixels of the largest hole with a joint covariance
_CHUNK = 4096  # pixels of a larger hole in one pass: bounds the memory

Untyped: TypeAlias = Any  # kernels and regressors of scikit-learn, which states no types


class GaussianProcess(Baseline):
    """A constant times Matérn 3/2, plus white noise, by type-II maximum likelihood.

    Values are centred on the mean of the context; the channels share the kernel. The std of the
    process is at least 0.1, as a context that happens to be flat says little about the rest of the
    picture; the length scale is at most half of the longer side, and the std of the noise at least
    0.01. Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning,
    2006, chapters 2 and 5; scikit-learn's GaussianProcessRegressor.
    """

    name: ClassVar[str] = "gp"

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`. A random part of a large context is used; the notes say so."""
        observed = self.observed(hole)
        at, asked = (np.argwhere(where).astype(np.float64) for where in (observed, hole))
        values = picture[observed].astype(np.float64)
        centre, notes = values.mean(0), []
        if len(at) > _CONTEXT:
            notes.append(f"gp goes by {_CONTEXT:,} random pixels of the {len(at):,} observed ones")
            some = chosen("gp", len(at), _CONTEXT)
            at, values = at[some], values[some]
        process = self._fitted(at, values - centre, max(hole.shape))
        if len(asked) <= _JOINT:
            mean, std, factor = _joint(process, asked)
            factors = (factor,) * len(centre)
        else:
            notes.append(f"the hole has more than {_JOINT:,} pixels: gp has no samples of it")
            (mean, std), factors = _marginals(process, asked), None
        stds = np.repeat(std[:, None], len(centre), axis=1)
        return BaselinePrediction(mean + centre, stds, factors, tuple(notes))

    def _fitted(
        self, at: Points, values: Float[np.ndarray, "point channel"], longer: int
    ) -> Untyped:
        """The process given the values, with the kernel fitted to some of them."""
        package = self.package("sklearn.gaussian_process", "scikit-learn")
        exceptions = self.package("sklearn.exceptions", "scikit-learn")
        regressor, some = package.GaussianProcessRegressor, chosen("gp", len(at), _FITTED_TO)
        with warnings.catch_warnings():
            # A parameter on its bound, or a search that ends early, is as good as it gets.
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
            searched = regressor(_prior(package.kernels, longer), alpha=0.0)
            kernel = searched.fit(at[some], values[some]).kernel_
        return regressor(kernel, alpha=0.0, optimizer=None).fit(at, values)


def _prior(kernels: ModuleType, longer: int) -> Untyped:
    """The kernel that the search starts from, with its bounds; lengths are in pixels."""
    longest = max(2.0, longer / 2)
    amplitude = kernels.ConstantKernel(0.1, (0.1**2, 2.0))
    shape = kernels.Matern(min(3.0, longest), (1.0, longest), nu=1.5)
    return amplitude * shape + kernels.WhiteKernel(1e-3, (0.01**2, 1.0))


def _regressed(process: Untyped, at: Points) -> tuple[np.ndarray, np.ndarray]:
    """The means "point channel", and L⁻¹ k(context, points): the part that the context explains."""
    cross = process.kernel_(at, process.X_train_)
    return cross @ process.alpha_, solved(process.L_, cross.T)


def _joint(process: Untyped, at: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, stds and the factor of the covariance, noise included."""
    mean, explained = _regressed(process, at)
    covariance = process.kernel_(at) - explained.T @ explained
    return mean, np.sqrt(covariance.diagonal()), cholesky(covariance)


def _marginals(process: Untyped, at: Points) -> tuple[np.ndarray, np.ndarray]:
    """Means and stds, noise included, a chunk of points at a time."""
    means, stds = [], []
    for some in np.array_split(at, math.ceil(len(at) / _CHUNK)):
        mean, explained = _regressed(process, some)
        means.append(mean)
        stds.append(np.sqrt(process.kernel_.diag(some) - np.square(explained).sum(0)))
    return np.concatenate(means), np.concatenate(stds)
