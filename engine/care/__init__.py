"""Care of a store: whether its bytes are those that were written, and removing a patient from all of it."""

from .delete import Deleted, delete_patient
from .mentions import Texts
from .verify import Damage, verify

__all__ = ["Damage", "Deleted", "Texts", "delete_patient", "verify"]
