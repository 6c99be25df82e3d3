"""``command MODULES CODES WORD …``: a command of fonoteca, run after its modules (a comma between) are loaded."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.sides.protocol import serve
from fonoteca.cli.env import Env
from fonoteca.cli.main import run


def main(modules: str, codes: str, words: Sequence[str]) -> None:
    for name in filter(None, modules.split(",")):
        importlib.import_module(name)
    env = replace(Env.of_process(), stdout=sys.stderr)

    def work() -> None:
        code = run(list(words), env)
        if str(code) not in codes.split(","):
            raise SystemExit(f"fonoteca {' '.join(words)} exited {code}")

    serve(work)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
