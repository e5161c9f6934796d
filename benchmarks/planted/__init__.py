"""Slices planted in real and made-up data, and how well each method finds them."""
