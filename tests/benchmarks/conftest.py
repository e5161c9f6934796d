"""The benchmarks are no part of the package: they are imported from the repository's root."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]
