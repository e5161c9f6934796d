"""`python -m misread.cli` is `misread`."""

from .main import run

run()
