"""The contract that every variant fulfils."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from jaxtyping import Float
from torch import Tensor, nn

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian

Encoded = TypeVar("Encoded")


class NeuralProcess(nn.Module, ABC, Generic[Encoded]):
    """A network that maps a context to a predictive distribution over any pixels asked for.

    A variant answers three questions and knows nothing of losses, files or pictures' sizes. What
    `encode` returns is the variant's own affair; callers pass it on to `predict`.
    """

    variant: ClassVar[str]
    config: Any

    @abstractmethod
    def encode(self, context: Context) -> Encoded:
        """Everything that depends on the context alone, for all targets, chunks and samples."""

    @abstractmethod
    def infer(self, context: Context) -> Gaussian | None:
        """The latent path q(z | C), "batch latent"; None for a conditional variant."""

    @abstractmethod
    def predict(
        self,
        encoded: Encoded,
        z: Float[Tensor, "sample batch latent"] | None,
        targets: Targets,
    ) -> Gaussian:
        """The predictive distribution, "batch target channel".

        With a z there is a leading sample axis. A target's distribution does not depend on which
        other targets are asked for.
        """
