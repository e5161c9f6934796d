"""Commits to a store, each of which waits at its end: python racing.py STORE NAME TABLE TURNS.

A turn begins when a line comes in. With everything of the commit but its end written it says `ready`; when another line
comes in, it ends the commit, and says how that went.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from store.store_rows import images, reports

from misread.schemas.errors import StoreError
from misread.store import TableStore


def main(location: str, who: str, table: str, turns: str) -> None:
    for turn in range(int(turns)):
        sys.stdin.readline()
        print(*commit(location, f"{who} {turn}", table), sep="|", flush=True)


def commit(location: str, name: str, table: str) -> list[str]:
    rows = images([name]) if table == "images" else reports((name, None, name))
    try:
        with TableStore.open_or_new(location).commit(name) as commit:
            commit.append(table, rows)
            print("ready", flush=True)
            sys.stdin.readline()
    except StoreError as error:
        return ["refused", error.message, error.hint]
    return ["won", name]


if __name__ == "__main__":
    main(*sys.argv[1:])
