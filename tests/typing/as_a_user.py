"""The public API as a user writes it; checked by mypy, run by nobody."""

from typing import assert_type

import polars as pl

import misread as mr

new = mr.open("audits/cxr", create=True)
assert_type(new.ingest(metadata="metadata.csv", predictions=pl.DataFrame()).tables["images"].added, int)
assert_type(new.embed(image_encoder="hog", report_encoder=None).state, int)
store = mr.open("audits/cxr")
audit = (
    store.scan(model="densenet121", target=["Pneumonia", "Infiltration"], seed=1)
    .filter("view = 'PA' and age < 40")
    .fuse(image="hog", report="tfidf", metadata=["age", "sex"])
    .discover(min_size=20, threshold=0.5)
    .describe()
)
assert_type(store, mr.Store)
assert_type(audit, mr.LazyFrame)
assert_type(audit.explain(), str)
assert_type(audit.collect(), pl.DataFrame)
assert_type(audit.sink(), str)
assert_type(store.scan().discover(losses=True), mr.LazyFrame)
assert_type(store.sql("SELECT * FROM slices"), pl.DataFrame)
assert_type(store.sql("SELECT $x", {"x": 1}, time_limit=None, memory_limit="1GB", allow_small_cells=True), pl.DataFrame)
assert_type(store.subgroups("densenet121", "Pneumonia", of_class=1, where="age > 60"), pl.DataFrame)
assert_type(store.question("worst_subgroup"), str)
store.keep_question("films", "SELECT count(*) FROM images")
with store.session() as session:
    assert_type(session.columns, dict[str, list[str]])
assert_type(store.assign("audit", where="view = 'PA'"), pl.DataFrame)
assert_type(store.assign("audit", where=pl.col("view") == "PA"), pl.DataFrame)
store.report("audit").save("audit.md")
assert_type(store.moved("audit"), pl.DataFrame)
assert_type(mr.__version__, str)

try:
    mr.open("nowhere")
except mr.MisreadError as error:
    assert_type(error.message, str)
    assert_type(error.hint, str)
