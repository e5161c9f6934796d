"""Who is audited and how: halves, thresholds, errors, and what is left out."""
