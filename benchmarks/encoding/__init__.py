"""How fast pictures are encoded, beside a bare loop of transformers."""
