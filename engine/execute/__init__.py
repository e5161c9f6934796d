"""Running plans: the one place that knows both the nodes and the kernels."""

from .assigning import Assigned
from .identity import audit_id_of
from .scans import samples_of, scan_of
from .sink import audit_named, sink_audit
from .work import Work

__all__ = [
    "Assigned",
    "Work",
    "audit_id_of",
    "audit_named",
    "samples_of",
    "scan_of",
    "sink_audit",
]
