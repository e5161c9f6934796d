"""Running plans: the one place that knows both the nodes and the kernels."""

from .assigning import Assigned
from .identity import audit_id_of
from .sink import stored_audit, write_audit
from .steps import Described, Discovered, FusedSamples, ScannedSamples, run

__all__ = [
    "Assigned",
    "Described",
    "Discovered",
    "FusedSamples",
    "ScannedSamples",
    "audit_id_of",
    "run",
    "stored_audit",
    "write_audit",
]
