"""Nothing but reading the views can be done, and errors name what there is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from misread.schemas.errors import MisreadError, QueryError, UnknownNameError
from misread.sql import Session
from misread.sql.catalogue import STORED

REFUSED = [
    "COPY images TO '{folder}/x.csv'",
    "COPY (SELECT 1) TO '{folder}/x.parquet'",
    "EXPORT DATABASE '{folder}/x'",
    "IMPORT DATABASE '{folder}/x'",
    "ATTACH '{folder}/x.db' AS x",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA version",
    "PRAGMA enable_profiling",
    "SET threads = 1",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "USE memory",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "PREPARE x AS SELECT 1",
    "CREATE TABLE x AS SELECT 1",
    "CREATE VIEW images AS SELECT 1",
    "CREATE OR REPLACE MACRO error_rate(x) AS 1",
    "CREATE SECRET x (TYPE s3)",
    "DROP VIEW images",
    "DROP MACRO error_rate",
    "ALTER VIEW images RENAME TO y",
    "INSERT INTO images VALUES ('x')",
    "UPDATE images SET sample_id = 'x'",
    "DELETE FROM images",
    "WITH x AS (DELETE FROM images RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO images VALUES ('x') RETURNING *) SELECT * FROM x",
    "EXPLAIN ANALYZE DROP VIEW images",
    "EXPLAIN COPY images TO '{folder}/x.csv'",
    "/* SELECT */ EXPLAIN (ANALYZE) CREATE TABLE x AS SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW images",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM parquet_scan('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM '{secret}'",
    'SELECT * FROM "{secret}"',
    "SELECT * FROM 'https://example.org/x.csv'",
    "SELECT * FROM query('DROP VIEW images')",
    "SELECT * FROM query_table('images')",
    "SELECT * FROM json_execute_serialized_sql('x')",
    "SELECT * FROM arrow_scan(1::POINTER, 2::POINTER, 3::POINTER)",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM enable_logging()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM sqlite_master",
    f"SELECT * FROM {STORED}images",
    f"SELECT * FROM temp.main.{STORED}images",
    f"WITH {STORED}images AS (SELECT 1) SELECT * FROM {STORED}images",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT 'temp_directory'.current_setting()",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT list_transform(['temp_directory'], lambda x: current_setting(x))",
    "SELECT write_log('x')",
    "SELECT sleep_ms(100000)",
    "SELECT getvariable('smallest_cell')",
    "SET VARIABLE smallest_cell = 0",
    "CREATE OR REPLACE MACRO smallest_cell() AS 0",
    "CREATE OR REPLACE TEMP MACRO is_small_cell(n) AS false",
    "SELECT python_vector_of('a', 'image')",
    "SELECT main.python_nearest_phrase([1.0])",
    "FROM slice_by((SELECT content FROM read_text('{secret}')))",
    "FROM rates_by(getenv('HOME'))",
    "FROM subgroups('m', 't', keep := (SELECT count(*) FROM duckdb_settings()) > 0)",
    "FROM search_reports((SELECT max(value) FROM duckdb_settings()))",
    "FROM slice_size('x-1')",
    "SELECT * FROM read_json_auto('{secret}')",
    "SELECT * FROM duckdb_extensions()",
    "SELECT * FROM pragma_table_info('images')",
    "SELECT * FROM which_secret('x', 's3')",
    "SELECT 1 /* ; */; /* SELECT */ DROP VIEW images -- SELECT 1",
    "/**/DROP/**/VIEW/**/images",
    "EXECUTE asked",
    "DEALLOCATE asked",
    "SELECT * FROM images AT (VERSION => 1)",
    "SELECT * FROM (SHOW TABLES)",
    "SHOW DATABASES",
    "PIVOT images ON view USING count(*)",
    "",
    "   -- nothing",
    "SELEC 1",
    "SELECT 'unfinished",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "+".join(["1"] * 3000),
]


@pytest.mark.parametrize("asked", REFUSED, ids=lambda asked: asked[:60])
def test_only_reading_the_views_is_possible(session: Session, asked: str, tmp_path: Path) -> None:
    """Everything else is refused in words, touches no file, and the next ordinary question is answered."""
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nhush\n")
    with pytest.raises(MisreadError) as refused:
        session.query(asked.replace("{folder}", str(tmp_path)).replace("{secret}", str(secret)))
    assert "hush" not in str(refused.value)
    assert list(tmp_path.iterdir()) == [secret]
    assert session.query("SELECT count(*) AS n FROM images").to_pylist() == [{"n": 2}]
    assert session.query("SELECT error_rate('x-1') AS rate").to_pylist() == [{"rate": 0.5}]


ANSWERED = [
    "SELECT * FROM images",
    "FROM images",
    "TABLE images",
    "VALUES (1)",
    "SELECT 1;",
    "select * from MAIN.Images",
    "DESCRIBE images",
    "DESCRIBE SELECT age FROM images",
    "SHOW images",
    "SUMMARIZE images",
    "EXPLAIN SELECT * FROM images",
    "EXPLAIN ANALYZE SELECT count(*) FROM images",
    "-- a remark\nEXPLAIN /* another */ SELECT 1",
    "SELECT view, count(*) FROM images GROUP BY ALL ORDER BY ALL",
    "WITH x AS (SELECT age FROM images) SELECT avg(age) FROM x",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT max(n) FROM t",
    "SELECT unnest([1, 2]) AS x, * FROM range(3)",
    "PIVOT images ON view IN ('PA', 'AP') USING count(*)",
    "SELECT row_number() OVER (ORDER BY age) FROM images QUALIFY 1 = 1",
    "SELECT * FROM images i LEFT JOIN memberships m USING (sample_id) LEFT JOIN slices s USING (slice_id)",
    "SELECT list(DISTINCT view) FILTER (age > 3), histogram(view) FROM images",
    "SELECT * EXCLUDE (age) REPLACE (upper(view) AS view) FROM images USING SAMPLE 1 ROWS",
    "SELECT sample_id FROM images WHERE age > ALL (SELECT 3) OR EXISTS (SELECT 1 FROM slices)",
]


@pytest.mark.parametrize("asked", ANSWERED)
def test_ordinary_questions_pass(session: Session, asked: str) -> None:
    """What only reads the views is answered."""
    assert session.query(asked).num_rows > 0


UNKNOWN = {
    "SELECT agee FROM images": "no column 'agee' in images; did you mean 'age'?",
    "SELECT i.agee FROM images AS i JOIN slices ON true": "no column 'agee' in images; did you mean 'age'?",
    "SELECT slice_idd FROM slices JOIN memberships USING (slice_id)": "no column 'slice_idd' "
    "in memberships, slices; did you mean 'slice_id'?",
    "SELECT 1 FROM images JOIN memberships USING (sampleid)": "no column 'sampleid' in images, memberships; "
    "did you mean 'sample_id'?",
    "SELECT * EXCLUDE (agee) FROM images": "no column 'agee' in images; did you mean 'age'?",
    "SELECT 1 FROM images ORDER BY veiw": "no column 'veiw' in images; did you mean 'view'?",
    "WITH x AS (SELECT 1 AS first) SELECT frist FROM x": "no column 'frist' in this question; did you mean 'first'?",
    "SELECT x.age FROM images": "no table 'x' in this question",
    "SELECT * FROM imagess": "no table 'imagess'; did you mean 'images'?",
    "SELECT * FROM slice": "no table 'slice'; did you mean 'slices'?",
    "FROM slice_bye(view)": "no table function 'slice_bye'; did you mean 'slice_by'?",
    "FROM rates_by(veiw)": "no column 'veiw' in samples; did you mean 'view'?",
    "SELECT slice_siz('x')": "no function 'slice_siz'; did you mean 'slice_size'?",
    "SELECT sqrrt(2)": "no function 'sqrrt'; did you mean 'sqrt'?",
    "SELECT checksum FROM images": "no column 'checksum' in images",
}


@pytest.mark.parametrize(("asked", "told"), UNKNOWN.items())
def test_unknown_names_are_told_with_the_nearest(session: Session, asked: str, told: str) -> None:
    """One sentence names what does not exist, where, and the nearest that does."""
    with pytest.raises(UnknownNameError) as refused:
        session.query(asked)
    assert refused.value.message == told


@pytest.mark.parametrize(
    ("asked", "name", "way"),
    [
        ("FROM rates_by()", "rates_by", "rates_by(subgroup, confidence := 0.95)"),
        ("SELECT error_rate(1, 2, 3)", "error_rate", "error_rate(slice_id) or error_rate(label, predicted)"),
        ("FROM nearest_samples('x', kk := 2)", "nearest_samples", "nearest_samples(sample_id, k := 10"),
    ],
)
def test_a_wrong_call_is_told_the_right_one(session: Session, asked: str, name: str, way: str) -> None:
    """Too many, too few or misspelt arguments: how the function is called."""
    with pytest.raises(QueryError) as refused:
        session.query(asked)
    assert refused.value.message == f"{name} cannot be called in this way"
    assert way in refused.value.hint


def test_text_in_double_quotes_is_explained(session: Session) -> None:
    """A value in double quotes is a column to SQL; the hint says how text is written."""
    with pytest.raises(UnknownNameError) as refused:
        session.query('SELECT 1 FROM images WHERE view = "LATERAL"')
    assert "single quotes" in refused.value.hint


@pytest.mark.parametrize(
    "asked", [*UNKNOWN, "SELECT upper(1, 2)", "SELECT 'a'::INT", "SELECT age, count(*) FROM images"]
)
def test_errors_are_for_people(session: Session, asked: str) -> None:
    """No error shows a Python name, a table behind the views or more than one line of message."""
    with pytest.raises(MisreadError) as refused:
        session.query(asked)
    assert "\n" not in refused.value.message
    assert not any(word in str(refused.value) for word in (STORED, "Exception", "Error:", "duckdb", "Traceback"))


REPORT = "Effusion of 'Jane Doe', can't lie flat.\nIMPRESSION: worse\nLINE 1: \"larger\""


@pytest.mark.parametrize(
    "asked",
    [
        "report::INTEGER",
        "report::DATE",
        "report::TIMESTAMP",
        "report::JSON",
        "report::BOOLEAN",
        "report::DOUBLE[]",
        "report::UUID",
        "strptime(report, '%Y')",
        "json_extract(report, '$.a')",
        "from_base64(report)",
        "rate_low(report, 1)",
        "date_part(report, DATE '2026-01-01')",
    ],
)
def test_errors_tell_nothing_of_the_rows(opened: Callable[..., Session], asked: str) -> None:
    """Errors go into logs and mails: a value of a row that cannot be read is not repeated, one of the question is."""
    session = opened(reports=[{"sample_id": "s", "report": REPORT}])
    with pytest.raises(QueryError) as refused:
        session.query(f"SELECT {asked} FROM reports")
    told = str(refused.value)
    assert "…" in told
    assert not any(word in told for word in ("Jane", "Doe", "flat", "Effusion", "IMPRESSION", "worse", "larger"))
    with pytest.raises(QueryError, match="'Jane'"):
        session.query("SELECT 'Jane'::INTEGER FROM reports")


CHOOSES = [
    "view = 'PA'",
    "age > 60 OR age IS NULL",
    "view LIKE 'P%' -- remark",
    "images.age > 3",
    "true",
    "(age > 3)",
]


@pytest.mark.parametrize("text", CHOOSES)
def test_one_expression_chooses_rows(session: Session, text: str) -> None:
    """A true-or-false expression over the view is accepted."""
    session.check_predicate(text, "images")


CHOOSES_NOT = [
    "", "age", "'true'", "NULL", "*", "columns(*) > 3", "age > 3, true", "age > 3) OR (true",
    "true) UNION SELECT (1",
    "age > 3; DROP VIEW images", "age > 3 /*", "age > $1", "count(*) > 3", "row_number() OVER () > 1",
    "random() < 0.5", "age(DATE '2020-01-01') > INTERVAL 3 YEAR",
    "current_date > '2026-01-01'", "now() > '2026-01-01'", "x FOR x IN [true]",
    "sample_id IN (SELECT sample_id FROM memberships)", "error_rate(sample_id) > 0.5",
    "read_csv('x')", "getenv('x') = 'y'",
]  # fmt: skip


@pytest.mark.parametrize("text", CHOOSES_NOT)
def test_anything_else_chooses_no_rows(session: Session, text: str) -> None:
    """What is not one steady expression over the view's columns is refused, with the reason."""
    with pytest.raises(QueryError):
        session.check_predicate(text, "images")


def test_a_predicate_over_unknown_columns_names_them(session: Session) -> None:
    """An unknown column in a predicate is told as in a question."""
    with pytest.raises(UnknownNameError, match="did you mean 'age'"):
        session.check_predicate("agee > 3", "images")


@pytest.mark.parametrize(
    "question",
    [
        "/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE SET VARIABLE smallest_cell = 0",
        "/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE DROP VIEW slices",
        "EXPLAIN ( /* ) SELECT 1 -- */ FORMAT json) SET VARIABLE smallest_cell = 0",
        "-- one\rEXPLAIN ANALYZE DROP VIEW slices\nEXPLAIN SELECT 1",
        "EXPLAIN ANALYZE CREATE OR REPLACE VIEW slices AS SELECT 1",
        "SELECT json_serialize_plan('SELECT current_setting(''temp_directory'')', optimize := true)",
    ],
)
def test_what_is_explained_is_what_was_looked_at(session: Session, question: str) -> None:
    """Comments that end elsewhere for DuckDB hide no statement; nothing of it is done."""
    before = session.query("FROM slices").to_pylist()
    with pytest.raises(QueryError):
        session.query(question)
    assert session.query("FROM slices").to_pylist() == before
    assert session.query("SELECT smallest_cell() AS n").to_pylist() == [{"n": 11}]


@pytest.mark.parametrize(
    "question",
    [
        "WITH pg_settings AS (FROM pg_settings) SELECT name FROM pg_settings",
        "FROM (WITH sqlite_master AS (SELECT 1) FROM sqlite_master), sqlite_master",
        "WITH duckdb_logs AS (SELECT 1 FROM pragma_database_list), pragma_database_list AS (SELECT 1) FROM duckdb_logs",
        "SELECT (WITH duckdb_columns AS (SELECT 1) SELECT 1), (SELECT count(*) FROM duckdb_columns)",
    ],
)
def test_a_name_of_with_is_known_only_where_it_is_given(session: Session, question: str) -> None:
    """Elsewhere it would be a table of DuckDB's own."""
    with pytest.raises(UnknownNameError, match="no table"):
        session.query(question)


@pytest.mark.parametrize(
    "question",
    [
        "WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (FROM a) SELECT b.x FROM b JOIN a USING (x)",
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t WHERE x < 1) FROM t",
        "WITH a AS (SELECT 1 AS x) SELECT (WITH c AS (FROM a) SELECT max(x) FROM c) AS x",
        "WITH a AS (SELECT 1 AS x) FROM a UNION FROM a",
    ],
)
def test_names_of_with_serve_where_they_are_given(session: Session, question: str) -> None:
    """Later ones, what is inside, both sides of a union, and a recursive one itself."""
    assert session.query(question).to_pylist() == [{"x": 1}]
