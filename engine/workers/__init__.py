"""Work divided over the processes of a Ray cluster, or of this machine. Without Ray the same functions run here."""

from .spread import spread
from .tasks import Workers, workers

__all__ = ["Workers", "spread", "workers"]
