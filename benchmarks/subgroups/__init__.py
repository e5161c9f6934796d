"""The search of metadata subgroups against the SliceLine package."""
