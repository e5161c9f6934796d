"""The discover step: searches every population, confirms what was found, and numbers it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from misread.audit.population import Population
from misread.discover import (
    FIRST_LOOK,
    ClassRows,
    every_row,
    fit_class_model,
    order_among_classes,
    search,
    search_p_values,
    stabilities,
    standardised,
)
from misread.memory import give_back
from misread.plan import Discover
from misread.progress import Progress
from misread.schemas.values import CLASSES, CONFIRMATION, DISCOVERY, SIGNIFICANCE
from misread.spill import chosen
from misread.threads import cores, in_order

from .comparing import compare
from .effects import effects_told, smallest_effects
from .inputs import JUDGED_BY_LOSSES, LOSSES_ALONE
from .judged_rows import JudgedRows, people
from .judging import Candidate, Judge
from .steps import Discovered, FusedSamples


def discover(node: Discover, fused: FusedSamples, populations: Sequence[Population], progress: Progress) -> Discovered:
    """Memberships and statistics of every slice, over all populations together."""
    each = (1 if node.losses else len(CLASSES)) * FIRST_LOOK + 1
    steps = len(populations) * each
    candidates: list[Candidate] = []
    notes: dict[tuple[str, str], str] = {}
    effects: dict[tuple[str, str], dict[str, object]] = {}
    progress(0, steps, "searching for slices")
    for number, judged in enumerate(populations):
        done = number * each

        def tick(shuffles: int, done: int = done) -> None:
            progress(done + shuffles, steps, "searching for slices")

        found, why_none, too_few = _search(node, fused, judged, tick)
        candidates += found
        mine = effects[judged.model, judged.target] = smallest_effects(judged, node.min_size, node.min_patients)
        told = [why_none, effects_told(judged, mine, node.min_patients)] if why_none else [_left_out(node, too_few)]
        remarks = [*told, _no_held_out_rows(judged), _threshold_kept(node, judged)]
        if any(remarks):
            notes[judged.model, judged.target] = "; ".join(filter(None, remarks))
    progress(steps, steps, "searching for slices")
    if node.stability:
        candidates = _with_stability(node, fused, candidates, progress)
    give_back()
    slices = Judge(fused, node.named).judge(candidates)
    comparisons = () if node.losses else tuple(compare(slices, populations, fused.below.seed))
    return Discovered(fused, node.named, tuple(populations), slices, notes, effects, comparisons)


def _with_stability(
    node: Discover, fused: FusedSamples, candidates: Sequence[Candidate], progress: Progress
) -> list[Candidate]:
    """The candidates in their order, each with its stability; one population's class is searched again at a time."""

    def class_of(place: int) -> tuple[str, str, int]:
        c = candidates[place]
        return c.population.model, c.population.target, c.population.classes.index(c.true_class)

    tested = list(candidates)
    groups = [list(places) for _, places in groupby(sorted(range(len(candidates)), key=class_of), key=class_of)]
    total, done = len(groups) * node.stability, 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, total, "searching in resampled patients")

    for places in groups:
        first = candidates[places[0]]
        values = stabilities(
            _class_rows(fused, first.population)[first.population.classes.index(first.true_class)],
            [candidates[place].rule for place in places],
            smallest=node.min_size,
            most=node.most,
            resamples=node.stability,
            seed=fused.below.seed,
            pool=node.pool,
            tick=tick,
        )
        for place, value in zip(places, values, strict=True):
            tested[place] = replace(candidates[place], stability=float(value))
    return tested


def _left_out(node: Discover, too_few: int) -> str:
    return f"groups left out, of fewer than {node.min_patients} patients: {too_few}" if too_few else ""


def _no_held_out_rows(judged: Population) -> str:
    halves = judged.judged_rows()["half"]
    told = not halves.is_empty() and not (halves == CONFIRMATION).any()
    return "no row to judge is in the confirmation half: nothing can be confirmed" if told else ""


def _threshold_kept(node: Discover, judged: Population) -> str:
    if node.threshold is not None and judged.threshold.source == "argmax":
        return f"the highest score of the task is the prediction; the threshold {node.threshold:g} was not used"
    if node.threshold is None or judged.threshold.source != "column":
        return ""
    return f"the predictions bring the threshold {judged.threshold.value:g}; {node.threshold:g} was not used"


def _search(
    node: Discover, fused: FusedSamples, judged: Population, tick: Callable[[int], None]
) -> tuple[list[Candidate], str, int]:
    """The slices of one population that chance alone seldom gives, best first; why where there are none; and how many
    groups were left out, of too few patients (which only makes p-values larger: shuffled errors keep them)."""
    classes = _class_rows(fused, judged)
    give_back()
    ranked: list[tuple[tuple[bool, float, int], Candidate]] = []
    too_few = 0
    rules_of = partial(search, smallest=node.min_size, most=node.most, pool=node.pool)
    searches = in_order(rules_of, classes, min(len(classes), cores()))
    for number, (rows, searched) in enumerate(zip(classes, list(searches), strict=True)):
        large = [rule.holding(rows.vectors, node.min_size) for rule in searched]
        rules = [rule for rule in large if people(rows.patients[rule.takes(rows.vectors)]) >= node.min_patients]
        too_few += len(searched) - len(rules)
        p_values = search_p_values(
            rows,
            [rule.statistic for rule in rules],
            smallest=node.min_size,
            permutations=node.permutations,
            seed=fused.below.seed,
            pool=node.pool,
            tick=partial(_tick_from, tick, number * FIRST_LOOK),
        )
        for place, (rule, p) in enumerate(zip(rules, p_values, strict=True)):
            order = order_among_classes(place, rule, number)
            ranked.append((order, Candidate(judged, rows.true_class, rule, float(p))))
    found = [candidate for _, candidate in sorted(ranked, key=lambda item: item[0])]
    kept = [c for c in found if node.permutations == 0 or c.search_p <= SIGNIFICANCE]
    return kept, "" if kept else _why_none(node, judged, classes, found, too_few), too_few


def _tick_from(tick: Callable[[int], None], before: int, done: int) -> None:
    """Shuffles beyond those that nearly every class needs are not foreseen: they bring the progress no further."""
    tick(before + min(done, FIRST_LOOK))


def _why_none(
    node: Discover,
    judged: Population,
    classes: Sequence[ClassRows],
    found: Sequence[Candidate],
    too_few: int,
) -> str:
    """The first of the reasons that holds. `too_few`: the groups found that hold too few patients."""
    group = "group of high losses" if judged.by_loss else "group of errors"
    best = f"{min(c.search_p for c in found):.2f}" if found else ""
    reasons = (
        (bool(found), f"no {group} stands out more than chance gives (best candidate: p = {best})"),
        (
            bool(too_few),
            f"no {group} spreads over {node.min_patients} patients (groups of fewer: {too_few})",
        ),
        *(_no_losses(node, classes[0]) if judged.by_loss else _no_errors(node, judged, classes)),
    )
    return next((text for holds, text in reasons if holds), f"no {group} stands out")


Reason = tuple[bool, str]


def _no_errors(node: Discover, judged: Population, classes: Sequence[ClassRows]) -> Iterator[Reason]:
    rows, errors = sum(len(c.losses) for c in classes), sum(int(c.losses.sum()) for c in classes)
    yield (
        judged.verdicts.is_empty() and judged.has_losses,
        f"{LOSSES_ALONE}: {JUDGED_BY_LOSSES}",
    )
    yield judged.verdicts.is_empty(), "no row has a score and a label: there is nothing to judge"
    yield (
        judged.threshold.source == "none",
        "no threshold can be chosen: the discovery rows do not hold both labels; give --threshold",
    )
    yield rows == 0, "no row with a prediction and a label in the discovery half"
    yield errors == 0, "the model makes no error on the discovery rows"
    yield errors == rows, "the model is wrong on every discovery row: no group stands out"
    yield (
        all(len(c.losses) < 2 * node.min_size for c in classes),
        f"no class has {2 * node.min_size} discovery rows (twice the minimum size of a slice)",
    )
    yield (
        all(people(c.patients) < node.min_patients for c in classes),
        f"no class has {node.min_patients} patients in the discovery half, the fewest that a slice holds",
    )


def _no_losses(node: Discover, rows: ClassRows) -> Iterator[Reason]:
    yield not len(rows.losses), "no row with a loss in the discovery half"
    yield (
        len(rows.losses) < 2 * node.min_size,
        f"fewer than {2 * node.min_size} discovery rows have a loss (twice the minimum size of a slice)",
    )
    yield (
        people(rows.patients) < node.min_patients,
        f"fewer than {node.min_patients} patients are in the discovery half, the fewest that a slice holds",
    )
    yield not standardised(rows.losses).any(), "all discovery rows have the same loss: no group stands out"


def _class_rows(fused: FusedSamples, judged: Population) -> list[ClassRows]:
    """The discovery rows of each class, in the order of the population's classes."""
    if judged.by_loss:
        rows = JudgedRows.of(judged, half=DISCOVERY)
        vectors = chosen(fused.vectors, rows.places)
        return [ClassRows(None, vectors, rows.values, rows.patients, every_row(vectors.shape[1]))]
    owns = [JudgedRows.of(judged, true_class, DISCOVERY) for true_class in CLASSES]
    each = [chosen(fused.vectors, own.places) for own in owns]
    first = fit_class_model(*each)
    return [
        ClassRows(true_class, vectors, own.values, own.patients, model)
        for true_class, own, vectors, model in zip(CLASSES, owns, each, (first, first.other), strict=True)
    ]
