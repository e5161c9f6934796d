"""Tasks for the processes of a Ray cluster, or of this machine."""

import contextlib
import os
import secrets
import socket
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from misread.schemas.arguments import checked
from misread.schemas.errors import MisreadError, first_line
from misread.threads import cores

A = TypeVar("A")
B = TypeVar("B")

LOCAL: Final = "local"
AHEAD: Final = 2
"""How many pieces of work a process has waiting: the next one is there when it is done with one."""
SHARED_MEMORY: Final = 256 << 20
SECONDS_TO_REACH: Final = 10.0


@dataclass(frozen=True)
class Workers:
    """Processes that work is handed to: so many can run at once, on `cpus` cores and `gpus` GPUs in all."""

    cpus: int
    gpus: int

    def in_order(self, work: Callable[[A], B], items: Iterable[A], *, cpus: int = 1, gpu: bool = False) -> Iterator[B]:
        """The results of `work` in the order of `items`; each takes `cpus` cores, and a GPU if it wants one.

        `work` is a function of a module, its items and results can be pickled. What it raises is raised in its place
        as a MisreadError, and nothing more is begun.
        """
        import ray

        shared: Any = ray.put(work)
        task = ray.remote(told).options(num_cpus=cpus, num_gpus=int(gpu), max_retries=3)
        most = AHEAD * max(1, self.gpus if gpu else self.cpus // cpus)
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(task.remote(shared, item))
                if len(waiting) >= most:
                    yield result_of(waiting.popleft())
            while waiting:
                yield result_of(waiting.popleft())
        finally:
            for one in waiting:
                ray.cancel(one, force=True)


@checked
@contextlib.contextmanager
def workers(address: str | None) -> Iterator[Workers | None]:
    """The workers of a Ray cluster: `local` for the cores of this machine, else the cluster's address; None for none.

    Raises MisreadError where Ray is not installed, no cluster answers, or one of its machines has another misread.
    """
    if address is None:
        yield None
        return
    if find_spec("ray") is None:
        raise MisreadError("--ray needs Ray, which is not installed", "install it with: pip install 'misread[ray]'")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first one is told in words
    if address == LOCAL:  # its ports are open to the network: nobody without the token gets in
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    else:
        _reach(address)
    import ray

    # whoever imported Ray before made it read the settings then
    import_module("ray._raylet").Config.initialize("")
    options = {"num_cpus": cores(), "object_store_memory": SHARED_MEMORY} if address == LOCAL else {}
    try:
        # Ray's programs are forked, and are others at once: nothing of lance is used
        with warnings.catch_warnings(), _for_its_owner(address):
            warnings.filterwarnings("ignore", "lance is not fork-safe")
            ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="ERROR", **options)
    except Exception as error:  # noqa: BLE001 - of many kinds
        raise _not_joined(address, error) from None
    try:
        if address != LOCAL:
            check_versions()
        there = ray.cluster_resources()
        yield Workers(max(1, int(there.get("CPU", 1))), int(there.get("GPU", 0)))
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _for_its_owner(address: str) -> Iterator[None]:
    """What is begun within makes files for its owner alone: Ray's folder is open to all, and what does not fit into its
    memory (pictures, reports, vectors) is put there. A cluster is begun by others."""
    before = os.umask(0o077) if address == LOCAL else None
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


def check_versions() -> None:
    """Raises MisreadError where a machine of the cluster that is reached has no misread, or another version."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = [
        (
            node["NodeManagerAddress"],
            ray.remote(told)
            .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
            .remote(installed),
        )
        for node in ray.nodes()  # several may have one address
        if node["Alive"]
    ]
    found, mine = {(address, result_of(one)) for address, one in asked}, installed()
    others = ", ".join(f"{there} at {address}" for address, there in sorted(found) if there != mine)
    if others:
        raise MisreadError(
            f"the machines of the Ray cluster have other versions of misread than this one, {mine}: {others}",
            "install the same version on all of them",
        )


def installed() -> str:
    """The version of misread where this runs."""
    return version("misread")


def _reach(address: str) -> None:
    """Raises MisreadError where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return  # `auto`, or a name that Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_REACH).close()
    except (OSError, OverflowError) as error:
        raise _unreached(address, error) from None


def _unreached(address: str, error: Exception) -> MisreadError:
    return MisreadError(
        f"no Ray cluster answers at {address}: {first_line(error)}",
        "give --ray local for the cores of this machine, or the address that ray start showed",
    )


def _not_joined(address: str, error: Exception) -> MisreadError:
    """Somebody listens there. Ray does not say that a token is wrong: it gives up after a while."""
    if address == LOCAL:
        return MisreadError(f"Ray did not start on this machine: {first_line(error)}", "try again, or leave --ray out")
    return MisreadError(
        f"the Ray cluster at {address} did not let this machine in: {first_line(error)}",
        "this machine is to be one of the cluster's (ray start --address), with its version of Ray; where the cluster "
        "was started with a token, set RAY_AUTH_MODE=token and the same RAY_AUTH_TOKEN here",
    )


def told(work: Callable[..., B], *given: Any) -> tuple[B | None, tuple[str, str] | None]:
    """Runs in a worker: the result, or message and hint of what is wrong, which survive the way back."""
    try:
        return work(*given), None
    except MisreadError as error:
        return None, (error.message, error.hint)


def result_of(reference: Any) -> Any:
    """What a process told. Raises MisreadError where it told what is wrong, failed, or is no more."""
    import ray

    try:
        result, wrong = ray.get(reference)
    except ray.exceptions.RayActorError as error:
        raise MisreadError(
            f"a Ray process that held vectors is gone: {first_line(error)}",
            "run the same command again; if its machine ran out of memory, start Ray there with a lower --num-cpus",
        ) from None
    except ray.exceptions.RayError as error:
        lines = str(error).strip().splitlines()
        raise MisreadError(
            f"a Ray worker failed: {lines[-1] if lines else type(error).__name__}",
            "the workers need the same misread, and the store and the model at the same place, as this machine",
        ) from None
    if wrong is not None:
        raise MisreadError(*wrong)
    return result
