"""Run by test_hostile: torrents offered to a mirror one by one, in a process whose memory and time are measured."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from fonoteca.formats import metainfo
from fonoteca.mirror.session import open_session, parameters


def offer(session: Any, save: Path, data: bytes) -> str:
    """What becomes of one: the code of the refusal, or ``accepted``, and then it is handed to libtorrent too."""
    try:
        meta = metainfo.parse(data)
    except metainfo.MetainfoError as error:
        return error.code
    handle = session.add_torrent(parameters(data, str(save), meta.web_seeds, meta.trackers))
    time.sleep(0.02)
    session.remove_torrent(handle)
    return "accepted"


def main(folder: Path, save: Path) -> None:
    """One line of JSON: for each file its fate and seconds; then the most memory that was used, in bytes."""
    told = {}
    session = open_session("127.0.0.1:0")
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in sorted(folder.iterdir()):
        begun = time.process_time()
        fate = offer(session, save, path.read_bytes())
        told[path.name] = (fate, time.process_time() - begun)
    session.pause()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
    print(json.dumps({"fates": told, "grown": grown * 1024}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
