"""The optimiser: rules applied until none of them does anything."""

from collections.abc import Sequence

from .node import Node
from .rules import RULES, Rule

MOST_ROUNDS = 100


class CycleError(RuntimeError):
    """Rules that undo each other: a fault of misread, not of its user."""


def optimise(plan: Node, rules: Sequence[Rule] = RULES) -> Node:
    """A plan with the same answer that costs less. Raises CycleError where the rules do not come to an end."""
    seen = {plan}
    for _ in range(MOST_ROUNDS):
        better = _applied(plan, rules)
        if better == plan:
            return plan
        if better in seen:
            break
        seen.add(better)
        plan = better
    raise CycleError(f"the rules {', '.join(rule.__name__ for rule in rules)} do not come to an end on {plan}")


def _applied(node: Node, rules: Sequence[Rule]) -> Node:
    children = [_applied(child, rules) for child in node.children]
    node = node.over(*children) if tuple(children) != node.children else node
    for rule in rules:
        node = rule(node)
    return node
