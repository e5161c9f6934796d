"""How columns lie in a Lance table, and how they are read back: pictures as blobs, repeated text as dictionaries."""

from collections.abc import Container

import pyarrow as pa

from misread.schemas.tables import PICTURE


def lance_schema(schema: pa.Schema, repeated: Container[str]) -> pa.Schema:
    """Our schema with pictures as Lance blobs, and repeated text as dictionaries."""
    import lance

    kinds = {f.name: pa.dictionary(pa.int32(), f.type) if f.name in repeated else f.type for f in schema}
    return pa.schema([lance.blob_field(f.name) if f.name == PICTURE else f.with_type(kinds[f.name]) for f in schema])


def is_dictionary(field: pa.Field) -> bool:
    """Whether Lance keeps the column's text once for all rows that repeat it."""
    return bool(pa.types.is_dictionary(field.type))


def text_schema(schema: pa.Schema) -> pa.Schema:
    """Lance's schema with repeated text as text."""
    return pa.schema([f.with_type(f.type.value_type) if is_dictionary(f) else f for f in schema])


def as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with repeated text as text."""
    text = text_schema(batch.schema)
    return batch if text == batch.schema else batch.cast(text)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Lance's schema with pictures as bytes."""
    return pa.schema([pa.field(f.name, pa.large_binary()) if f.name == PICTURE else f for f in schema])


def lance_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of our schema as one of `schema` (from `lance_schema`)."""
    import lance

    def column(field: pa.Field) -> pa.Array:
        values = batch.column(field.name)
        if field.name == PICTURE:
            return lance.blob_array(values.to_pylist())
        return values.dictionary_encode().cast(field.type) if is_dictionary(field) else values

    return pa.RecordBatch.from_arrays([column(field) for field in schema], schema=schema)
