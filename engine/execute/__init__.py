"""Running plans: the one place that knows both the nodes and the kernels."""

from .assigning import Assigned
from .identity import audit_id_of
from .moving import without_small_cells
from .scans import samples_of, scan_of
from .sink import audit_named, audit_names, sink_audit
from .steps import Described, Discovered, FusedSamples, ScannedSamples
from .work import Work

__all__ = [
    "Assigned",
    "Described",
    "Discovered",
    "FusedSamples",
    "ScannedSamples",
    "Work",
    "audit_id_of",
    "audit_named",
    "audit_names",
    "samples_of",
    "scan_of",
    "sink_audit",
    "without_small_cells",
]
