"""What the optimiser does: each rule takes one step of a plan and gives a cheaper one with the same answer.

A rule gives the very step it was given where it has nothing to do. `RULES` are tried in order, from the leaves up,
until none of them does anything.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from misread.schemas.tables import IMAGES
from misread.sql.rows import columns_read, conjuncts, pushed

from .audits import Assign, Fuse, Score
from .node import Node
from .order import ordering
from .rows import HEAVY, Filter, Head, Join, Samples, Scan, Select, Sort, Take

Rule = Callable[[Node], Node]


def split_predicates(node: Node) -> Node:
    """Filter(x, a AND b) → Filter(x, a; b): parts that are kept apart can go different ways."""
    if not isinstance(node, Filter):
        return node
    parts = tuple(part for text in node.predicates for part in conjuncts(text, node.input.gives))
    return node if parts == node.predicates else Filter(node.input, parts)


def merge_filters(node: Node) -> Node:
    """Filter(Filter(x, a), b) → Filter(x, a; b)."""
    if isinstance(node, Filter) and isinstance(node.input, Filter):
        new = tuple(p for p in node.predicates if p not in node.input.predicates)
        return Filter(node.input.input, (*node.input.predicates, *new))
    return node


def filter_below(node: Node) -> Node:
    """Filter(Select/Sort/Take(x)) → Select/Sort/Take(Filter(x)): fewer rows are sorted and fetched."""
    if not isinstance(node, Filter) or not isinstance(node.input, Select | Sort | Take):
        return node
    if not set(node.reads()) <= set(node.input.input.gives):
        return node
    return node.input.over(Filter(node.input.input, node.predicates))


def filter_below_join(node: Node) -> Node:
    """Filter(Join(l, r), about l) → Join(Filter(l), r); about what they are joined on: both; inner: about r, too."""
    if not isinstance(node, Filter) or not isinstance(node.input, Join):
        return node
    join = node.input
    left, right, here = [], [], []
    for text in node.predicates:
        read = set(columns_read(text, join.gives))
        if read <= set(join.left.gives):
            left.append(text)
            right += [text] if read and read <= set(join.on) else []
        elif join.how == "inner" and read <= set(join.right.gives):
            right.append(text)
        else:
            here.append(text)
    if not left and not right:
        return node
    return _filtered(replace(join, left=_filtered(join.left, left), right=_filtered(join.right, right)), here)


def filter_below_samples(node: Node) -> Node:
    """Filter(Samples, about images) → Samples(Filter(images)): what is not wanted is not joined."""
    if not isinstance(node, Filter) or not isinstance(node.input, Samples):
        return node
    samples = node.input
    moved = [text for text in node.predicates if set(columns_read(text, samples.gives)) <= samples.named_alike]
    here = [text for text in node.predicates if text not in moved]
    if not moved:
        return node
    joined = [text for text in moved if set(columns_read(text, samples.gives)) == {"sample_id"}]
    predictions = _filtered(samples.predictions, joined)
    return _filtered(replace(samples, images=_filtered(samples.images, moved), predictions=predictions), here)


def filter_into_scan(node: Node) -> Node:
    """Filter(Scan) → Scan(where …): Lance reads only the rows wanted. What Lance cannot do stays where it is."""
    if not isinstance(node, Filter) or not isinstance(node.input, Scan):
        return node
    scan = node.input
    found = {text: pushed(text, scan.stored) for text in node.predicates}
    where = [lance for lance in found.values() if lance is not None and lance not in scan.where]
    here = [text for text, lance in found.items() if lance is None]
    if len(here) == len(node.predicates):
        return node
    return _filtered(replace(scan, where=(*scan.where, *where)), here)


def drop_selects(node: Node) -> Node:
    """Select(Select(x)) → Select(x); Select of every column as it is → x."""
    if not isinstance(node, Select):
        return node
    if node.columns == node.input.gives:
        return node.input
    return Select(node.input.input, node.columns) if isinstance(node.input, Select) else node


def narrow(node: Node) -> Node:
    """Select(x) → Select(narrower x): columns that nobody looks at are not read."""
    if not isinstance(node, Select):
        return node
    below = node.input
    wanted = {*node.columns, *ordering(below), *(() if isinstance(below, Scan) else below.reads())}
    smaller = _narrowed(below, wanted)
    return node if smaller == below else Select(smaller, node.columns)


def _narrowed(node: Node, wanted: set[str]) -> Node:
    if isinstance(node, Scan):
        return replace(node, columns=_of(node.columns, wanted))
    if isinstance(node, Filter | Sort | Head):
        return node.over(_selected(node.input, wanted))
    if isinstance(node, Join):
        asked = wanted | set(node.on)
        keys = set() if node.is_filtering else set(node.right.keys)
        return node.over(_selected(node.left, asked | set(node.left.keys)), _selected(node.right, asked | keys))
    if isinstance(node, Samples):
        called = {name for name, name_here in node.renamed.items() if name_here in wanted} | {"sample_id"}
        keys = {"sample_id", "model", "target"}
        kept = {name for name in node.predictions.gives if name in wanted | keys}
        samples = node if "half" in wanted else replace(node, with_half=False)
        return samples.over(_selected(node.images, called), _selected(node.predictions, kept))
    if isinstance(node, Take):
        columns = _of(node.columns, wanted)
        light = _selected(node.input, wanted | {node.table.locator})
        return Take(light, node.table, columns) if columns else _selected(node.input, wanted)
    return node


def narrow_partners(node: Node) -> Node:
    """Join(l, r, semi or anti) → r gives the columns they are joined on alone."""
    if isinstance(node, Join) and node.is_filtering and set(node.right.gives) != set(node.on):
        return replace(node, right=Select(node.right, node.on))
    return node


def narrow_fuse(node: Node) -> Node:
    """Fuse(Samples(images)) → without paths, sizes and digests of pictures."""
    if not isinstance(node, Fuse) or not isinstance(node.input, Samples):
        return node
    samples = node.input
    wanted = {"sample_id", "patient_id", "split"} | (set(samples.images.gives) - set(IMAGES.names))
    images = _selected(samples.images, wanted)
    return node if images == samples.images else replace(node, input=replace(samples, images=images))


def narrow_assign(node: Node) -> Node:
    """Assign, Score(x) → of the sample ids of x alone; of Samples(images) those of images."""
    if not isinstance(node, Assign | Score) or node.input is None:
        return node
    below = node.input.input if isinstance(node.input, Select) else node.input
    # predictions add no sample: which images they are is all that is asked
    below = below.images if isinstance(below, Samples) else below
    asked = _ordered(below, ("sample_id",))
    return node if asked == node.input else replace(node, input=asked)


def heavy_columns_last(node: Node) -> Node:
    """Scan(with vectors) → Take(Scan without): vectors and pictures are fetched for the rows that are left."""
    heavy = tuple(name for name in node.columns if name in HEAVY) if isinstance(node, Scan) else ()
    if not isinstance(node, Scan) or not heavy:
        return node
    light = tuple(name for name in node.columns if name not in HEAVY)
    lean = replace(node, columns=light, locator=f"row of {node.table}")
    return _ordered(Take(lean, replace(lean, columns=(), where=()), heavy), node.gives)


def take_last(node: Node) -> Node:
    """Sort/Head/Join(Take(x)) → Take(Sort/Head/Join(x)); so, too, where a Select lies between."""
    if not isinstance(node, Filter | Sort | Head | Join):
        return node
    for place, child in enumerate(node.children):
        take = child.input if isinstance(child, Select) else child
        hidden = isinstance(node, Join) and place == 1 and node.is_filtering
        if isinstance(take, Take) and not hidden and not set(take.columns) & set(node.reads()):
            kept = tuple(name for name in child.gives if name not in take.columns)
            columns = _of(take.columns, set(child.gives))
            children = list(node.children)
            children[place] = _ordered(take.input, (*kept, take.table.locator)) if columns else Select(take.input, kept)
            moved = node.over(*children)
            return _ordered(Take(moved, take.table, columns), node.gives) if columns else moved
    return node


def head_below(node: Node) -> Node:
    """Head(Select(x)) → Select(Head(x)); Head(Head(x)) → the smaller one."""
    if isinstance(node, Head) and isinstance(node.input, Select):
        return node.input.over(Head(node.input.input, node.rows))
    if isinstance(node, Head) and isinstance(node.input, Head):
        return Head(node.input.input, min(node.rows, node.input.rows))
    return node


RULES: Final[tuple[Rule, ...]] = (
    split_predicates,
    merge_filters,
    filter_below,
    filter_below_join,
    filter_below_samples,
    filter_into_scan,
    drop_selects,
    head_below,
    heavy_columns_last,
    take_last,
    narrow_partners,
    narrow_fuse,
    narrow_assign,
    narrow,
)


def _filtered(node: Node, predicates: Iterable[str]) -> Node:
    found = tuple(predicates)
    return Filter(node, found) if found else node


def _of(names: tuple[str, ...], wanted: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in wanted)


def _selected(node: Node, wanted: set[str]) -> Node:
    """The node with those of its columns that are wanted, and those that its order needs."""
    return _ordered(node, _of(node.gives, wanted | set(ordering(node))))


def _ordered(node: Node, columns: tuple[str, ...]) -> Node:
    return node if node.gives == columns else Select(node, columns)
