"""The commands that turn images and reports into vectors: embed and encoders."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .messages import guarded, tell
from .options import FormatOption, RayOption, StoreArgument
from .output import deliver
from .progress import watched

if TYPE_CHECKING:
    from misread.encode import Precision

IMAGE_ENCODER = typer.Option(
    metavar="NAME", help="Encoder of images: a name, a model's directory, owner/name, or none."
)
REPORT_ENCODER = typer.Option(metavar="NAME", help="Encoder of reports: likewise.")
REFIT = typer.Option("--refit", help="Fit the encoders again and encode every row anew.")
DEVICE = typer.Option(metavar="NAME", help="Where a model runs: cpu, cuda, cuda:1. [default: a GPU if there is one]")
PRECISION = typer.Option(
    metavar="NAME", help="float32, or float16 for mixed precision. [default: that of the store's vectors, else float32]"
)
THREADS = typer.Option(metavar="NUMBER", min=1, help="Threads of a model on the CPU. [default: one a core]")
DOWNLOAD = typer.Option("--download", help="Download a model named owner/name that is not here yet.")


@guarded
def embed(  # noqa: PLR0913, PLR0917 - one for each option
    store: StoreArgument,
    image_encoder: Annotated[str, IMAGE_ENCODER] = "hog",
    report_encoder: Annotated[str, REPORT_ENCODER] = "tfidf",
    refit: Annotated[bool, REFIT] = False,
    device: Annotated[str | None, DEVICE] = None,
    precision: Annotated[str | None, PRECISION] = None,
    threads: Annotated[int | None, THREADS] = None,
    download: Annotated[bool, DOWNLOAD] = False,
    ray: RayOption = None,
) -> None:
    """Turn images and reports into vectors. Interrupted or killed, it goes on where it was when run again."""
    from misread.encode import Settings
    from misread.encode import embed as embed_in
    from misread.store import TableStore
    from misread.workers import workers

    of_images, of_reports = _unless_none(image_encoder), _unless_none(report_encoder)
    if of_images is None and of_reports is None:
        raise typer.BadParameter("both encoders are none: there is nothing to encode with")
    opened = TableStore.open(store)
    with workers(ray) as beside, watched() as progress:
        result = embed_in(
            opened,
            image_encoder=of_images,
            report_encoder=of_reports,
            refit=refit,
            settings=Settings(device, _precision(precision), threads, download),
            workers=beside,
            progress=progress,
        )
    tell(result.notices)
    for name, done in result.encoders.items():
        typer.echo(f"{name}: {done.encoded} of {done.total} encoded, {done.dimension} numbers a vector")


@guarded
def encoders(
    store: Annotated[str | None, typer.Argument(metavar="[STORE]", help="List the encoders of this store too.")] = None,
    form: FormatOption = None,
) -> None:
    """List the encoders there are, and what each needs."""
    import pyarrow as pa

    from misread.encode.listing import listed
    from misread.store import TableStore

    rows = listed(TableStore.open(store).encoders if store else None)
    deliver(pa.Table.from_pylist([asdict(row) for row in rows]), form, None, "")


def _precision(given: str | None) -> "Precision | None":
    from misread.encode import PRECISIONS

    found = next((precision for precision in PRECISIONS if precision == given), None)
    if given is not None and found is None:
        raise typer.BadParameter(f"--precision is {' or '.join(PRECISIONS)}, not {given!r}")
    return found


def _unless_none(encoder: str) -> str | None:
    return None if encoder.lower() == "none" else encoder
