"""How discovery grows with an archive, beside reading it once and beside its peers."""
