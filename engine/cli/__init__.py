"""The command line: the same verbs as the library, on top of everything else."""
