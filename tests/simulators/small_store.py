"""An archive's store and ledger without audio or catalogue: blobs of random bytes, as intake would leave them."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from pathlib import Path

from fonoteca.archive import leaves
from fonoteca.archive.holdings import Holdings, leaves_folder
from fonoteca.core.fixity import Fixity
from fonoteca.core.layout import ArchiveLayout


def fill(root: Path, sizes: Sequence[int], seed: int = 1) -> dict[Path, Fixity]:
    """Path of each loose blob → what it is held to."""
    layout = ArchiveLayout(root)
    ledger = Holdings.open(layout)
    store = ledger.store()
    dice = random.Random(seed)
    made = {}
    for size in sizes:
        staged = store.stage(io.BytesIO(dice.randbytes(size)))
        leaves.store(leaves_folder(layout), leaves.blob_name(staged.fixity.sha256), staged.leaves)
        fixity = store.commit(staged)
        ledger.append([fixity])
        path = layout.blobs / fixity.sha256[:2] / fixity.sha256[2:4] / fixity.sha256
        path.chmod(0o644)
        made[path] = fixity
    store.clear_incoming()
    return made
