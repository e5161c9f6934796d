"""Who is audited and how: halves, thresholds, errors, what is left out, and the audit's identity."""
