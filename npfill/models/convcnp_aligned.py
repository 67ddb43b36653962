"""The convolutional conditional neural process of aligned pictures, on a grid of one size."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import NeuralProcess
from npfill.models.convcnp import ConvCNP


class AlignedConvCNP(ConvCNP):
    """Convolutional conditional neural process of pictures in which things have their places.

    Its networks are those of `ConvCNP`, and borders tell them where in the picture they are. What
    is larger than its grid is averaged onto that, and what it predicts there is interpolated
    between the cells.
    """

    variant = "convcnp-aligned"
    summary = (
        "a convolutional conditional neural process for aligned pictures of one size: set "
        "convolutions at every scale, then convolutional networks"
    )
    limits = "samples of its own, pixel by pixel, and pictures that are not aligned as those were"
    default_sampler = "autoregressive"
    any_size = False
    reach = None  # type: ignore[assignment]

    def encode(self, context: Context) -> Gaussian:  # type: ignore[override]
        """The predictive distribution of every cell, "batch channel height width"."""
        every = Targets.every(context.size, context.pixels.device)
        cells = super().predict(super().encode(context), None, every)
        mean, scale = (part.mT.unflatten(2, context.size) for part in (cells.mean, cells.scale))
        return Gaussian(mean, scale)

    def log_share(self, context: Context, encoded: object) -> Float[Tensor, "batch place"]:
        """See `NeuralProcess.log_share`: of the whole picture."""
        return NeuralProcess.log_share(self, context, encoded)

    def predict(  # type: ignore[override]
        self, encoded: Gaussian, z: Tensor | None, targets: Targets
    ) -> Gaussian:
        """The predictive distribution of cells, or of a grid of another size between them."""
        mean, scale = encoded.mean, encoded.scale
        if mean.shape[-2:] != targets.size:
            mean, scale = (
                F.interpolate(part, targets.size, mode="bilinear") for part in (mean, scale)
            )
        return Gaussian(targets.values(mean), targets.values(scale))
