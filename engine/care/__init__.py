"""Care of a store: whether its bytes are those written, what lies beside, and removing a patient from all of it."""

from .delete import Deleted, delete_patient
from .mentions import Texts
from .strays import Stray, strays
from .verify import Damage, verify

__all__ = ["Damage", "Deleted", "Stray", "Texts", "delete_patient", "strays", "verify"]
