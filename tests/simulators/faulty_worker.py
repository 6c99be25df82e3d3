"""Decoder children that do not keep to the protocol: the file's first bytes say how."""

from __future__ import annotations

import json
import os
import sys
import time
from multiprocessing.connection import Connection
from typing import IO, Any

from fonoteca.audio.facts import Limits
from fonoteca.audio.worker import serve


def misbehave(stream: IO[bytes], size: int, limits: Limits) -> dict[str, Any]:
    """Hang, spin, die, flood, lie; anything else is an orderly refusal."""
    match stream.read(8).strip():
        case b"hang":
            time.sleep(3600)
        case b"spin":
            while True:
                pass
        case b"die":
            os._exit(3)
        case b"abort":
            os.abort()
        case b"memory":
            return {"facts": "x" * (1 << 40)}
        case b"flood":
            return {"facts": "x" * (limits.max_reply_bytes + 1)}
        case b"lie":
            return {"facts": {"container": "exe", "codec": "virus"}}
        case b"nothing":
            return {}
    return {"refused": ["not-audio", f"process {os.getpid()}"]}


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), Limits(**json.loads(sys.argv[2])), misbehave)
