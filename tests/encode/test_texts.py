"""One report a sample, from the sample's own or from its study's."""

from pathlib import Path

from encode.encode_inputs import fill

from misread.encode.texts import report_texts
from misread.store import TableStore


def texts(store: TableStore) -> dict[str, str]:
    return dict(report_texts(store).iter_rows())


def test_a_study_report_is_every_sample_of_the_study_s(tmp_path: Path) -> None:
    """Spread over the study's samples; a sample's own report wins; without either there is no row."""
    studies = {"a": "s", "b": "s", "c": "s", "d": "t"}
    reports = [(None, "s", "study"), ("b", None, "own"), ("e", None, "alone"), (None, "u", "of no image")]
    reports += [("nobody", None, "of no image"), ("c", None, " \n\t"), (None, "t", "")]
    store = fill(tmp_path / "s", dict.fromkeys("edcbaf"), reports, studies=studies)
    assert texts(store) == {"a": "study", "b": "own", "c": "study", "e": "alone"}
    assert report_texts(store)["sample_id"].to_list() == ["a", "b", "c", "e"]


def test_without_reports_there_are_no_rows(tmp_path: Path) -> None:
    """A store without reports, or without anything, gives an empty table with the same columns."""
    for store in (fill(tmp_path / "s", {"a": None}), TableStore.open_or_new(tmp_path / "none")):
        found = report_texts(store)
        assert found.columns == ["sample_id", "report"]
        assert found.height == 0
        assert [str(kind) for kind in found.dtypes] == ["String", "String"]


def test_a_sample_with_two_reports_has_one_row(tmp_path: Path) -> None:
    """Reports under both keys do not multiply a sample, whichever came first."""
    for order in (1, -1):
        reports = [("a", None, "one"), ("a", "s", "two"), (None, "s", "three")][::order]
        store = fill(tmp_path / str(order), {"a": None}, reports, studies={"a": "s"})
        assert texts(store) == {"a": "one"}
