"""What a table of a store holds: the shape of a contract, and the kinds of its columns."""

from dataclasses import dataclass

import pyarrow as pa

from .errors import MisreadError

CHECKSUM = "checksum"
"""16-byte BLAKE2b of a row's content. Tells changed rows and flipped bytes, and names a table's content."""

PICTURE = "picture"
VECTOR = "vector"


@dataclass(frozen=True)
class TableContract:
    """What a table holds. `key` names its rows; `hidden` columns never reach SQL or frames.

    `open_ended` tables take further columns (the metadata of images). `repeated`: columns of text with few different
    values, each of which is stored once, so that they are read and grouped fast; for tables that only grow.
    """

    name: str
    fields: tuple[pa.Field, ...]
    key: tuple[str, ...]
    hidden: tuple[str, ...] = (CHECKSUM,)
    open_ended: bool = False
    repeated: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(self.fields)

    @property
    def without_checksum(self) -> pa.Schema:
        """The columns of rows that are handed to a commit, which adds their checksums."""
        return pa.schema([field for field in self.fields if field.name != CHECKSUM])

    @property
    def readable(self) -> pa.Schema:
        """The columns that a plan may read of a table of this contract: those not hidden, vectors and pictures."""
        return pa.schema([f for f in self.fields if f.name not in self.hidden or f.name in (VECTOR, PICTURE)])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def check(self, schema: pa.Schema) -> None:
        """Raises MisreadError unless `schema` fits this contract: its names and their types, in any order."""

        def found(name: str) -> str:
            return str(schema.field(name).type) if name in schema.names else "missing"

        wrong = [
            f"{field.name} is {found(field.name)}, not {field.type}"
            for field in self.fields
            if field.name not in schema.names or not _fits(schema.field(field.name).type, field.type)
        ]
        extra = [] if self.open_ended else [name for name in schema.names if name not in self.names]
        if wrong or extra:
            raise MisreadError(
                f"table {self.name!r} breaks its contract: "
                + "; ".join(wrong + [f"{n}: not a column of it" for n in extra])
            )


def _fits(found: pa.DataType, expected: pa.DataType) -> bool:
    """Equal types; a fixed-size list of any length fits an expected list of the same values."""
    if pa.types.is_fixed_size_list(found) and pa.types.is_list(expected):
        return bool(found.value_type == expected.value_type)
    return bool(found == expected)


def text(name: str, *, required: bool = False) -> pa.Field:
    """A column of text, NULL allowed unless it is required."""
    return pa.field(name, pa.string(), nullable=not required)


def integer(name: str) -> pa.Field:
    """A column of whole numbers."""
    return pa.field(name, pa.int64())


def real(name: str) -> pa.Field:
    """A column of floats of 64 bits."""
    return pa.field(name, pa.float64())


CHECKSUM_FIELD = pa.field(CHECKSUM, pa.binary(16), nullable=False)
