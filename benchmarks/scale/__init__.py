"""How discovery grows with an archive, beside reading it once and beside its peers."""

import misread  # noqa: F401 - before polars, as the command line does: it sets how polars gives memory back
