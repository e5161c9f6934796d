"""The row steps of a plan as one SQL statement over named sources; every other step is a source."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from misread.plan import Filter, Head, Join, Node, Order, Samples, Scan, Select, Sort, order_of
from misread.sql.rows import conjuncts
from misread.store.lance_table import quoted

ROW_STEPS = (Filter, Head, Join, Samples, Scan, Select, Sort)
HALVES = "halves"


@dataclass
class Compiled:
    """A statement, and the step that gives the rows of each source it names (Scan, or a step that is no row step)."""

    statement: str
    sources: dict[str, Node]
    halves: dict[str, Samples]


def compile_rows(plan: Node, *, ordered: bool = True) -> Compiled:
    """The statement whose answer is the plan's rows, in the plan's order or in none."""
    writer = _Writer(Counter(_composites(plan)))
    order = order_of(plan) if ordered else ()
    hidden = tuple(name for name, _ in order if name not in plan.gives)
    body = writer.write(plan, hidden)
    statement = f"{writer.shared}SELECT {_list(plan.gives)} FROM ({body}){_by(order)}"
    return Compiled(statement, writer.sources, writer.halves)


def _composites(node: Node) -> Iterator[Node]:
    if isinstance(node, Head | Join | Samples):
        yield node
    if isinstance(node, ROW_STEPS):
        for child in node.children:
            yield from _composites(child)


@dataclass
class _Writer:
    """Writes a step with `extra`: columns of steps below that an order above still needs."""

    counts: Counter[Node]
    sources: dict[str, Node] = field(default_factory=dict)
    halves: dict[str, Samples] = field(default_factory=dict)
    shared_steps: dict[Node, tuple[str, str]] = field(default_factory=dict)

    @property
    def shared(self) -> str:
        parts = [f'"{name}" AS MATERIALIZED ({body})' for name, body in self.shared_steps.values()]
        return f"WITH {', '.join(parts)} " if parts else ""

    def write(self, node: Node, extra: tuple[str, ...] = ()) -> str:
        if self.counts[node] > 1 and not extra:  # run once, read wherever it stands
            if node not in self.shared_steps:
                body = self._step(node, ())
                self.shared_steps[node] = (f"shared_{len(self.shared_steps)}", body)
            return f'FROM "{self.shared_steps[node][0]}"'
        return self._step(node, extra)

    def _step(self, node: Node, extra: tuple[str, ...]) -> str:
        match node:
            case Filter() | Select() | Head():
                return self._narrowing(node, extra)
            case Sort():
                return self.write(node.input, extra)
            case Join():
                return self._join(node)
            case Samples():
                return self._samples(node)
            case _:
                return f"SELECT {_list(node.gives)} FROM {_named(self._source(node))}"

    def _narrowing(self, node: Filter | Select | Head, extra: tuple[str, ...]) -> str:
        if isinstance(node, Filter):
            parts = [part for text in node.predicates for part in conjuncts(text, node.input.gives)]
            return f"SELECT * FROM ({self.write(node.input, extra)}) WHERE ({') AND ('.join(parts)})"
        if isinstance(node, Select):
            hidden = tuple(name for name in extra if name not in node.columns)
            deeper = tuple(name for name in hidden if name not in node.input.gives)
            return f"SELECT {_list((*node.columns, *hidden))} FROM ({self.write(node.input, deeper)})"
        order = order_of(node)
        hidden = tuple(name for name, _ in order if name not in node.gives)
        body = self.write(node.input, tuple(dict.fromkeys((*hidden, *extra))))
        shown = tuple(dict.fromkeys((*node.gives, *extra)))  # what it is ordered by may go by a name of a join's
        return f"SELECT {_list(shown)} FROM ({body}){_by(order)} LIMIT {node.rows}"

    def _join(self, join: Join) -> str:
        shown = ["l.*"]
        if not join.is_filtering:
            shown += [f"r.{_named(name)}" for name in join.right.gives if name not in join.on]
        pairs = " AND ".join(f"l.{_named(name)} = r.{_named(name)}" for name in join.on)
        left, right = self.write(join.left), self.write(join.right)
        return f"SELECT {', '.join(shown)} FROM ({left}) AS l {join.how.upper()} JOIN ({right}) AS r ON {pairs}"

    def _samples(self, node: Samples) -> str:
        renamed = node.renamed
        shown = [f"i.{_named(name)} AS {_named(renamed[name])}" for name in node.images.gives]
        joins = f"({self.write(node.images)}) AS i"
        if node.with_half:
            name = f"{HALVES}_{len(self.halves)}"
            self.halves[name] = node
            shown.append("h.half")
            joins += f" JOIN {_named(name)} AS h ON h.sample_id = i.sample_id"
        shown += [f"p.{_named(name)}" for name in node.predictions.gives if name != "sample_id"]
        targets = ", ".join(map(quoted, node.targets))  # of a task other targets are there too
        asked = f"SELECT * FROM ({self.write(node.predictions)}) WHERE target IN ({targets})"
        joins += f" LEFT JOIN ({asked}) AS p ON p.sample_id = i.sample_id"
        return f"SELECT {', '.join(shown)} FROM {joins}"

    def _source(self, node: Node) -> str:
        """The name of the source of a step; the same step twice is one source."""
        for name, known in self.sources.items():
            if known == node:
                return name
        name = f"source_{len(self.sources)}"
        self.sources[name] = node
        return name


def _by(order: Order) -> str:
    """Text is compared by its bytes and nulls come last, whatever the machine's language."""
    parts = [f"{_named(name)} {'DESC' if down else 'ASC'} NULLS LAST" for name, down in order]
    return f" ORDER BY {', '.join(parts)}" if parts else ""


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(_named, names))


def _named(name: str) -> str:
    """A name as SQL has it; `quoted` is for texts."""
    return '"' + name.replace('"', '""') + '"'
