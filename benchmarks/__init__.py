"""Benchmarks of misread: what it finds, how fast, and against whom."""
