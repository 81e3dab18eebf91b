"""Where Linux says how much of the machine a group of processes may take; elsewhere nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")


def folders(controller: str, root: Path = ROOT, own: Path = OWN) -> Iterator[Path]:
    """The folders of this process's group and of its parents, of either version.

    In a container the group's path may be the machine's and not be there; the last is the top.
    """
    try:
        places = [line.split(":", 2) for line in own.read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        return
    for _, controllers, path in (place for place in places if len(place) == 3):
        if controllers and controller not in controllers.split(","):
            continue
        top = root / controller if controllers else root
        inside = top / path.lstrip("/")
        for folder in (inside, *inside.parents):
            yield folder
            if folder == top:
                break
