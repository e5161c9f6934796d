"""The manifest: which version of every table belongs to a state of the store."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from misread.schemas.errors import StoreError
from misread.schemas.values import MODALITIES, Modality

FORMAT = "misread"
FORMAT_VERSION = 4


@dataclass(frozen=True)
class TableEntry:
    """One table in one state. `fingerprint` names its content whatever the order of its rows."""

    version: int
    rows: int
    fingerprint: str


@dataclass(frozen=True)
class EncoderEntry:
    """One encoder's vectors. `model` is the fitted model's file (None: nothing was fitted).

    `source` is BUILT_IN, PRETRAINED (then `parameters` name the model's directory) or EXTERNAL of
    `misread.schemas.values`. `order` grows with every commit that changed the encoder's vectors: see `newest_encoder`.
    """

    modality: Modality
    dimension: int
    source: str
    order: int
    model: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise StoreError(f"modality {self.modality!r} is none of {', '.join(MODALITIES)}")


def newest_encoder(encoders: Mapping[str, EncoderEntry]) -> str:
    """The name of the encoder that was embedded last, of one or more; ties: the last by name.

    Of a modality it is the one that is meant where none is named.
    """
    return max(encoders, key=lambda name: (encoders[name].order, name))


@dataclass(frozen=True)
class State:
    """What one commit changed: its number, when (ISO 8601, UTC), by which command, which tables.

    Of a `forgotten` state the tables are gone; its encoders are still known, as audits name the state they read.
    """

    state: int
    at: str
    command: str
    tables: Mapping[str, TableEntry]
    encoders: Mapping[str, EncoderEntry]
    forgotten: bool = False


@dataclass(frozen=True)
class Manifest:
    """Every state of a store, oldest first; what a state holds is the sum of the changes up to it."""

    states: tuple[State, ...] = ()

    @property
    def state(self) -> int:
        return self.states[-1].state if self.states else 0

    @property
    def tables(self) -> dict[str, TableEntry]:
        return {name: entry for state in self.states for name, entry in state.tables.items()}

    @property
    def encoders(self) -> dict[str, EncoderEntry]:
        return {name: entry for state in self.states for name, entry in state.encoders.items()}

    def at(self, state: int) -> "Manifest":
        """The manifest as it was at an older state. Raises StoreError if there was none of that number."""
        if not any(entry.state == state for entry in self.states):
            raise StoreError(f"the store has no state {state}", f"its states are 1 to {self.state}")
        return replace(self, states=tuple(entry for entry in self.states if entry.state <= state))

    def with_state(self, state: State) -> "Manifest":
        return replace(self, states=(*self.states, state))

    def versions(self, name: str) -> set[int]:
        """The versions of a table that some state names."""
        return {state.tables[name].version for state in self.states if name in state.tables}

    @property
    def has_forgotten(self) -> bool:
        """Whether patients were deleted from the store."""
        return any(state.forgotten for state in self.states)

    def learnt_before_deletion(self, encoder: str) -> bool:
        """Whether an encoder's model was fitted in a state that is forgotten: it may know what was deleted since."""
        now = self.encoders[encoder].model if encoder in self.encoders else None
        known = (state.encoders.get(encoder) for state in self.states if state.forgotten)
        return now is not None and any(entry is not None and entry.model == now for entry in known)

    def forgets(self, state: int) -> bool:
        """Whether an older state is forgotten."""
        return any(entry.forgotten for entry in self.states if entry.state == state)

    def alone(self, state: State) -> "Manifest":
        """The manifest with a state that names every table, all others forgotten."""
        return Manifest((*(replace(old, tables={}, forgotten=True) for old in self.states), state))

    def to_json(self) -> bytes:
        states = [asdict(state) for state in self.states]
        document = {"format": FORMAT, "format_version": FORMAT_VERSION, "states": states}
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, place: str) -> "Manifest":
        """Raises StoreError if `content` is no manifest, or one of another format version."""
        try:
            document = json.loads(content)
            if document["format"] != FORMAT:
                raise ValueError(f"its format is {document['format']!r}")
            found = document["format_version"]
            if found == FORMAT_VERSION:
                return cls(tuple(_state(entry) for entry in document["states"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"the manifest of {place} is damaged: {error!r}",
                "restore manifest.json (manifest.lance in an object store) from a copy; the tables are untouched",
            ) from error
        raise StoreError(
            f"the store {place} has format version {found}; this misread reads version {FORMAT_VERSION}",
            "use the version of misread that wrote it, or ingest again into a new store",
        )


def _state(entry: dict) -> State:  # type: ignore[type-arg]
    return State(
        state=entry["state"],
        at=entry["at"],
        command=entry["command"],
        tables={name: TableEntry(**table) for name, table in entry["tables"].items()},
        encoders={name: EncoderEntry(**encoder) for name, encoder in entry["encoders"].items()},
        forgotten=entry.get("forgotten", False),
    )
