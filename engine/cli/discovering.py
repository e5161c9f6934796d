"""The command that audits: discover."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from misread.schemas.errors import command
from misread.schemas.values import MODALITIES

from .messages import guarded, note, tell
from .options import RayOption, StateOption, StoreArgument, listed
from .progress import watched

if TYPE_CHECKING:
    from misread.frame import LazyFrame
    from misread.library import Store

_TOLD = 3
_OTHER_THRESHOLDS = """
    SELECT mine.model, mine.target, mine.threshold, other.threshold AS theirs, other.audit_id AS audit_id
    FROM audit_targets AS mine
    JOIN audit_targets AS other USING (model, target) JOIN audits AS made ON made.audit_id = other.audit_id
    WHERE mine.audit_id = $id AND mine.threshold_source = 'Youden' AND other.audit_id <> $id
    QUALIFY row_number() OVER (PARTITION BY model, target ORDER BY made.created_at DESC, other.audit_id DESC) = 1
        AND theirs <> mine.threshold
    ORDER BY model, target
"""

MODEL = typer.Option(metavar="NAME", help="Audit this model; may be given several times. [default: all]")
TARGET = typer.Option(metavar="NAME", help="Audit this target; may be given several times. [default: all]")
WHERE = typer.Option(
    metavar="EXPRESSION", help="Audit only samples for which this SQL expression is true: \"view = 'PA'\"."
)
LOOK_AT = typer.Option(metavar="NAMES", help="Which of image,report,metadata to look at. [default: all that are there]")
COLUMNS = typer.Option(metavar="NAMES", help="Metadata columns to look at: age,sex. [default: all that suit]")
IMAGE_ENCODER = typer.Option(metavar="NAME", help="Encoder whose image vectors are used. [default: the newest]")
REPORT_ENCODER = typer.Option(metavar="NAME", help="Encoder whose report vectors are used. [default: the newest]")
THRESHOLD = typer.Option(
    metavar="SCORE",
    min=0,
    max=1,
    help="Where predictions bring no threshold and no task: scores from this one on (0 to 1) count as positive. "
    "[default: the Youden point of the discovery rows]",
)
MIN_SIZE = typer.Option(metavar="ROWS", min=2, help="Fewest discovery rows of its class in a slice. [default: 10]")
MIN_PATIENTS = typer.Option(metavar="NUMBER", min=1, help="Fewest different patients among those rows. [default: 5]")
PERMUTATIONS = typer.Option(
    metavar="NUMBER",
    min=0,
    help="Keep what searches over shuffled errors seldom reach: so many at most, fewer where these decide it; 0: keep "
    "all. [default: 399, of a class of more than 50,000 discovery rows 99; 0, or 19 and more]",
)
STABILITY = typer.Option(
    metavar="NUMBER",
    min=0,
    help="Search again in so many resamples of the patients, to tell how stable slices are; 0: none. [default: 20]",
)
POOL = typer.Option(
    metavar="NUMBER",
    min=2,
    help="Seek among so many errors of a class, drawn of more; for slices with less than about 1 in 200 of them, a "
    "larger number. [default: 8192]",
)
LOSSES = typer.Option(
    "--losses",
    help="Judge rows by the loss column of the predictions instead of by label and threshold; no label is needed.",
)
PHRASES = typer.Option(
    "--phrases",
    metavar="FILE",
    help="Look for these phrases in reports, beside the built-in terms: a CSV with a column phrase (and spellings, "
    "parted by ;), or text with a phrase a line.",
)
SEED = typer.Option(metavar="NUMBER", help="Seed of the halves and of every draw.")
NAME = typer.Option("--name", metavar="TEXT", help="Call the audit this, besides its id.")
EXPLAIN = typer.Option("--explain", help="Show the plan, and what it would read, instead of running it.")
INCLUDE_TRAIN = typer.Option("--include-train", help="Audit rows whose split is train, too.")


@guarded
def discover(  # noqa: PLR0913, PLR0917 - one parameter an option
    store: StoreArgument,
    model: Annotated[list[str] | None, MODEL] = None,
    target: Annotated[list[str] | None, TARGET] = None,
    where: Annotated[str | None, WHERE] = None,
    modalities: Annotated[str | None, LOOK_AT] = None,
    metadata_columns: Annotated[str | None, COLUMNS] = None,
    image_encoder: Annotated[str | None, IMAGE_ENCODER] = None,
    report_encoder: Annotated[str | None, REPORT_ENCODER] = None,
    threshold: Annotated[float | None, THRESHOLD] = None,
    min_size: Annotated[int | None, MIN_SIZE] = None,
    min_patients: Annotated[int | None, MIN_PATIENTS] = None,
    permutations: Annotated[int | None, PERMUTATIONS] = None,
    stability: Annotated[int | None, STABILITY] = None,
    pool: Annotated[int | None, POOL] = None,
    losses: Annotated[bool, LOSSES] = False,
    phrases: Annotated[str | None, PHRASES] = None,
    seed: Annotated[int, SEED] = 0,
    include_train: Annotated[bool, INCLUDE_TRAIN] = False,
    name: Annotated[str | None, NAME] = None,
    explain: Annotated[bool, EXPLAIN] = False,
    state: StateOption = None,
    ray: RayOption = None,
) -> None:
    """Find the slices that models misread, and confirm them."""
    from misread import library
    from misread.workers import workers

    wanted: dict[str, Any] = {
        "model": model or None,
        "target": target or None,
        "where": where,
        "modalities": _modalities(modalities),
        "metadata": listed(metadata_columns),
        "image": image_encoder,
        "report": report_encoder,
        "threshold": threshold,
        "min_size": min_size,
        "min_patients": min_patients,
        "permutations": permutations,
        "stability": stability,
        "pool": pool,
        "losses": losses or None,
        "phrases": phrases,
        "seed": seed,
        "include_train": include_train,
    }
    opened = library.open(store, state=state)
    plan = discovery(opened, wanted)
    if explain:
        typer.echo(plan.explain())
        return
    with workers(ray) as beside, watched() as progress:
        audit = plan.sink(name, progress, workers=beside)
    typer.echo(audit)
    tell(other_thresholds(store, audit))
    note(f"See what was found with: {command('slices', store, '--audit', audit)}")


def other_thresholds(store: str, audit: str) -> list[str]:
    """What to say of models and targets for which this audit chose another threshold than the newest other audit."""
    from misread.query import open_session
    from misread.store import TableStore

    with open_session(TableStore.open(store)) as session:
        rows = session.query(_OTHER_THRESHOLDS, {"id": audit}).to_pylist()
    told = (
        "{model}, {target}: the threshold chosen here is {threshold:.3g}, that of audit {audit_id} {theirs:.3g}: error "
        "rates of the two do not compare; --threshold {theirs}, or a column threshold in the predictions, judges both "
        "alike"
    )
    more = [f"… and likewise for {len(rows) - _TOLD} more"] if len(rows) > _TOLD else []
    return [told.format(**row) for row in rows[:_TOLD]] + more


def discovery(store: "Store", wanted: dict[str, Any]) -> "LazyFrame":
    """The plan that the options ask for."""
    plan = store.scan(**{name: wanted[name] for name in ("model", "target", "seed", "include_train")})
    if wanted["where"] is not None:
        plan = plan.filter(wanted["where"])
    plan = plan.fuse(**{name: wanted[name] for name in ("image", "report", "metadata", "modalities")})
    options = ("min_size", "min_patients", "permutations", "stability", "pool", "threshold", "losses")
    settings = {name: wanted[name] for name in options if wanted[name] is not None}
    return plan.discover(**settings).describe(phrases=wanted["phrases"])


def _modalities(text: str | None) -> tuple[str, ...] | None:
    names = listed(text)
    for name in names or ():
        if name not in MODALITIES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(MODALITIES)}", param_hint="--modalities")
    return names
