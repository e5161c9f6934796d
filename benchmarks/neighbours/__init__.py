"""Neighbours by every way, and HDBSCAN on a graph of them, measured side by side."""
