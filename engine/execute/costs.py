"""What a plan costs, told before anything runs: from the number of rows, the bytes of columns and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from misread.discover import FEWEST_ERRORS, MOST_ERRORS, most_shuffles
from misread.fitting import COMPONENTS, FITTED_ROWS
from misread.plan import HEAVY, Assign, Describe, Discover, Fuse, Head, Join, Node, Samples, Scan, Score, Take, tree
from misread.schemas.tables import EMBEDDINGS_PREFIX, VECTOR
from misread.spill import HELD_BYTES
from misread.sql.rows import columns_read
from misread.store import TableStore

from .frozen import frozen_audit
from .fusing import HELD_PER_SAMPLE

# Seconds of one processor, as `benchmarks.scale` measured them on one machine.
READ: Final = 6e-10
"""... to read a byte from Lance."""
ROW: Final = 6e-7
"""... to read, join and sort a row without its vectors."""
PRODUCT: Final = 2.0e-11
"""... for each product of two numbers of a vector that a fusion sums up."""
FUSED: Final = 6.7e-11
"""... for each product of a number of a vector and a fused one, or a slice's direction."""
ROUND: Final = 0.003
"""... of one round of a search, and for each row of its class, the more where errors are many enough for lumps:"""
SCORED: Final = (1.1e-6, 4.2e-6)
LUMPED: Final = 1.0e-9
"""... and then for each pair of errors of the pool that candidates are sought in."""
POOLED: Final = 1.4e-5
"""... for each error of the pool, whose tree is grown once."""
GROWN: Final = 1.0e-4
"""... for each error beyond the default pool, besides."""
JUDGED: Final = 1.35e-6
"""... for each sample and slice that is judged, or scored."""
BEGUN: Final = 0.5
"""... for whatever a discovery needs once, and for each model and target, whose slices are confirmed and compared:"""
CONFIRMED: Final = 0.45
SHUFFLED: Final = 110
"""Shuffles of a class on average, of 399 at most: of 72 that were searched 110 (benchmarks/scale/README.md)."""
ERRORS: Final = 0.2
"""The share of a class that is taken to be wrong: a plan does not know it yet."""
POOL_HELD: Final = (3000, 40)
"""Bytes held for an error beyond the default pool, and for each of its fused numbers."""
PROCESS: Final = 340e6
"""Bytes of a process that holds nothing yet."""
AT_ONCE: Final = 2 * 2048
"""Rows of vectors that are held while they stream."""
SUMS: Final = 5
"""Sums of products of two numbers of a vector that are held at once while a fusion is fitted."""


@dataclass(frozen=True)
class Cost:
    """Of one step: at most so many `rows` come out; its own bytes read, processor seconds, bytes held and bytes of
    scratch, which lie on disk at once. `further`: seconds more where every shuffle is made that may be."""

    rows: int
    read: float = 0.0
    seconds: float = 0.0
    held: float = 0.0
    scratch: float = 0.0
    further: float = 0.0

    def __str__(self) -> str:
        told = [f"at most {self.rows:,} rows"]
        told += [f"reads {_size(self.read)}"] if self.read else []
        told += [_time(self)] if self.seconds >= 0.05 else []
        told += [f"holds {_size(self.held)}"] if self.held >= 1e6 else []
        told += [f"puts {_size(self.scratch)} aside"] if self.scratch >= 1e6 else []
        return ", ".join(told)


def costs(plan: Node, store: TableStore) -> dict[Node, Cost]:
    """The cost of every step of a plan that reads `store`; a step that stands there twice costs once.

    Rows are bounds: what a filter leaves is not known before it runs. Seconds are those of one processor, as measured
    on one machine by `benchmarks.scale`; another may be two times slower or faster. They are no bounds: how many
    shuffles a class takes is not known either, nor how many of its rows are wrong.
    """
    found: dict[Node, Cost] = {}
    for node in reversed([*plan.walk()]):  # what lies below comes first
        if node not in found:
            found[node] = _cost(node, found, store)
    fused = {step for fuse in plan.walk() if isinstance(fuse, Fuse) for v in fuse.vectors.values() for step in v.walk()}
    return {node: Cost(cost.rows) if node in fused and isinstance(node, Take) else cost for node, cost in found.items()}


def plan_with_costs(plan: Node, store: TableStore) -> str:
    """The plan as a tree with the cost of every step, and what they come to."""
    each = costs(plan, store)
    whole = whole_cost(each)
    told = f"in all: reads {_size(whole.read)}, {_time(whole)}, at most {_size(whole.held)} of memory"
    told += f", {_size(whole.scratch)} of scratch" if whole.scratch else ""
    return f"{tree(plan, {node: str(cost) for node, cost in each.items()})}\n{told}"


def whole_cost(each: Mapping[Node, Cost]) -> Cost:
    """What the steps of a plan come to; what the process itself holds is counted, too."""
    rows = max((cost.rows for cost in each.values()), default=0)
    names = ("read", "seconds", "held", "scratch", "further")
    read, seconds, held, scratch, further = (sum(getattr(cost, name) for cost in each.values()) for name in names)
    return Cost(rows, read, seconds, PROCESS + held, scratch, further)


def _cost(node: Node, below: dict[Node, Cost], store: TableStore) -> Cost:
    rows = max((below[child].rows for child in node.children), default=0)
    match node:
        case Scan() | Take():
            return _scanning(node, store) if isinstance(node, Scan) else _taking(node, rows, store)
        case Fuse():
            return _fusing(node, _samples(node, below), store)
        case Discover():
            return _discovering(node, _samples(node, below), store)
        case Assign() | Score():
            return _assigning(node, rows if node.input else store.table("images").count(), store)
        case Describe():
            search = node.first(Discover)
            rows = _searches(search) * search.most
        case Head():
            rows = min(rows, node.rows)
        case Join():
            rows = _joined(node, below[node.left].rows, below[node.right].rows)
        case Samples():
            return Cost(_predicted(node, below[node.images].rows, below[node.predictions].rows), seconds=rows * ROW)
    return Cost(rows)


def _predicted(node: Samples, images: int, predictions: int) -> int:
    """How many rows may come out: each prediction, and each image without one."""
    most_each = max(1, len(node.models) * len(node.targets))
    told = min(predictions, most_each * images)
    return told + images - -(-told // most_each)


def _joined(node: Join, left: int, right: int) -> int:
    """How many rows may come out: of a side whose keys are among `on`, a row of the other one finds one at most."""
    one_left, one_right = (side.is_keyed and set(side.keys) <= set(node.on) for side in (node.left, node.right))
    if node.is_filtering or (node.how == "left" and one_right):
        return left
    if node.how == "left":
        return left + right if one_left else left * max(right, 1)
    return min([left * right, *([left] if one_right else []), *([right] if one_left else [])])


def _taking(node: Take, rows: int, store: TableStore) -> Cost:
    if not node.table.version:  # a table that the store does not have yet
        return Cost(rows)
    table = store.table_at(node.table.table, node.table.version)
    read = rows / max(table.count(), 1) * table.stored_bytes(node.columns)
    return Cost(rows, read, read * READ)


def _scanning(scan: Scan, store: TableStore) -> Cost:
    """Heavy columns are counted where they are fused or fetched, as often as they are read there."""
    if not scan.version:
        return Cost(0)
    table = store.table_at(scan.table, scan.version)
    asked = [name for text in scan.where for name in columns_read(text, table.shown)]
    names = {name for name in (*scan.columns, *asked) if name not in HEAVY}
    read = table.stored_bytes(sorted(names))
    return Cost(table.count(), read, table.count() * ROW if names else 0.0)


def _samples(node: Node, below: dict[Node, Cost]) -> int:
    """How many samples an audit may hold."""
    return below[node.first(Samples).images].rows


def _fusing(node: Fuse, samples: int, store: TableStore) -> Cost:
    """Half of the vectors are read to fit the fusion, or so many of them as suffice; then all of them to be fused; and
    of every image the digest of its file, for copies in both halves."""
    numbers, fused = _numbers(node, store)
    fitted = min(samples / 2, FITTED_ROWS)
    images = store.table("images") if store.has("images") else None
    digests, files = (images.stored_bytes(["sha256"]), images.count()) if images else (0, 0)
    read = (samples + fitted) * numbers * 4 + digests
    seconds = read * READ + fitted * numbers**2 * PRODUCT + samples * numbers * fused * FUSED + files * ROW
    held = AT_ONCE * numbers * 12 + SUMS * numbers**2 * 8 + samples * HELD_PER_SAMPLE
    return Cost(samples, read, seconds, held + min(samples * fused * 8, HELD_BYTES), _aside(samples, fused))


def _aside(rows: float, numbers: int) -> float:
    """Bytes on disk of fused vectors, which are put aside there where they are too large to be held."""
    size = rows * numbers * 8
    return size if size > HELD_BYTES else 0.0


def _numbers(node: Fuse, store: TableStore) -> tuple[int, int]:
    """How many numbers a sample has before it is fused, and at most after."""
    numbers, fused = 1, 0
    for scan in (vectors.first(Scan) for vectors in node.vectors.values()):
        dimension = store.table_at(scan.table, scan.version).dimension
        numbers, fused = numbers + dimension, fused + min(COMPONENTS, dimension) + 1
    fused += COMPONENTS if node.metadata is not None else 0
    return numbers, fused


def _discovering(node: Discover, samples: int, store: TableStore) -> Cost:
    """Searches of every class, shuffled and resampled, on half of the samples; then the slices are judged on all.

    A pool larger than the default brings as many more candidates, and lumps that each of its errors is held against.
    How many shuffles decide a class hangs on what is found: `SHUFFLED` are counted, and `further` what all would take.
    """
    classes = 1 if node.losses else 2
    rows = samples / 2 / classes
    errors = min(rows * (0.5 if node.losses else ERRORS), node.pool)
    beyond = max(errors - MOST_ERRORS, 0)
    pool = errors * POOLED + beyond * GROWN
    has_lumps = errors >= FEWEST_ERRORS
    one_round = ROUND + rows * SCORED[has_lumps] * max(errors / MOST_ERRORS, 1.0) + has_lumps * errors**2 * LUMPED
    search = pool + node.most * one_round
    most = most_shuffles(node.permutations, int(rows))
    made = min(most, SHUFFLED)
    each = search + made * (pool + one_round) + node.stability * search
    fused = _numbers(node.first(Fuse), store)[1]
    held = beyond * (POOL_HELD[0] + POOL_HELD[1] * fused)
    searches = _searches(node)
    slices = searches * node.most
    seconds = BEGUN + searches / classes * CONFIRMED + searches * each + slices * samples * JUDGED
    further = searches * (most - made) * (pool + one_round)
    scratch = classes * _aside(rows, fused)  # of one model and target at a time
    return Cost(samples * slices, seconds=seconds, held=held, scratch=scratch, further=further)


def _assigning(node: Assign | Score, samples: int, store: TableStore) -> Cost:
    """Every vector of the audit's encoders is read and scored along each slice and its class, whoever is asked for."""
    audit = frozen_audit(store, node.audit_id)
    scores = audit.directions.shape[1]
    tables = [store.table(EMBEDDINGS_PREFIX + name) for name in audit.encoders.values()]
    read = sum(table.stored_bytes([VECTOR]) for table in tables)
    numbers = sum(table.count() * table.dimension for table in tables)
    # of a model and target without slices, too, a sample has a row when it is assigned
    bare = audit.targets.select("model", "target").join(audit.slices, on=["model", "target"], how="anti").height
    rows = samples * (audit.slices.height + isinstance(node, Assign) * bare)
    return Cost(rows, read, read * READ + numbers * scores * FUSED + rows * JUDGED, samples * scores * 8)


def _searches(node: Discover) -> int:
    """How many classes are searched, over all models and targets."""
    samples = node.first(Samples)
    return len(samples.models) * len(samples.targets) * (1 if node.losses else 2)


def _size(size: float) -> str:
    name, unit = next(((n, u) for n, u in (("GB", 1e9), ("MB", 1e6)) if size >= u), ("kB", 1e3))
    return f"{size / unit:.1f} {name}"


def _time(cost: Cost) -> str:
    told = f"about {_seconds(cost.seconds)} of a processor"
    return f"{told} ({_seconds(cost.seconds + cost.further)} if every shuffle is made)" if cost.further else told


def _seconds(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 300 else f"{seconds:.1f} s"
