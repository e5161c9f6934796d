"""`import misread` stays light."""

import subprocess
import sys

HEAVY = ("lance", "lancedb", "duckdb", "polars", "pyarrow", "numpy", "sklearn", "scipy", "hdbscan", "skimage", "torch")


def test_import_loads_nothing_heavy() -> None:
    """Importing the package loads none of the heavy libraries; they load when first used."""
    code = "import sys, misread; print(' '.join(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "misread" in loaded
    assert set(loaded).isdisjoint(HEAVY)


def test_unknown_attribute_is_an_attribute_error() -> None:
    """A name the package does not have fails as any module's would."""
    import misread

    assert not hasattr(misread, "no_such_thing")
    assert misread.__version__


def test_a_notebook_offers_what_there_is_before_it_is_loaded() -> None:
    """`dir(misread)`, which completion asks, names what the package gives and nothing of its own making."""
    code = "import misread; print(*dir(misread))"
    offered = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"open", "scan_samples", "LazyFrame", "MisreadError"} <= set(offered)
    assert set(offered).isdisjoint(("os", "Any", "TYPE_CHECKING"))
