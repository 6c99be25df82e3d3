"""Ready tables: listens by recording; all that is known of a track in one row, for peers and for the table source."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.generate import model
from benchmarks.generate.mix import Index
from benchmarks.generate.model import Shard
from benchmarks.generate.pattern import BLOCK


def _numbers(shard: Shard, blocks: Index) -> Index:
    return np.arange(blocks[0] * BLOCK, min((blocks[-1] + 1) * BLOCK, shard.end))


def listens(shard: Shard, blocks: Index) -> dict[str, pa.Table]:
    """``listens.parquet``: recording_mbid, listens; recordings of which nothing is known have no row."""
    numbers = _numbers(shard, blocks)
    heard = model.listens(shard, numbers)
    known = heard.is_valid()
    mbids = shard.dice.uuids("recording", numbers[known.to_numpy(zero_copy_only=False)])
    return {"listens.parquet": pa.table({"recording_mbid": mbids, "listens": heard.filter(known)})}


def tracks(shard: Shard, blocks: Index) -> dict[str, pa.Table]:
    """``tracks.parquet``: one row a recording, as on its own release."""
    numbers = _numbers(shard, blocks)
    made = model.recordings(shard, numbers)
    here = model.releases(shard, blocks)
    row = np.searchsorted(here.number, made.release)
    year = pa.array(here.year[row], mask=here.year[row] == 0)
    return {"tracks.parquet": pa.table({
        "id": numbers + 1,
        "mbid": shard.dice.uuids("recording", numbers),
        "title": model.recording_titles(shard, made),
        "artist": model.credited(shard, made),
        "artist_id": made.artist,
        "release": model.release_titles(shard, here).take(row),
        "release_id": made.release + 1,
        "disc": made.offset // model.DISC + 1,
        "number": made.offset % model.DISC + 1,
        "year": year,
        "duration_ms": model.lengths(shard, made),
        "isrc": model.isrcs(made),
        "barcode": model.barcodes(shard, here).take(row),
        "listens": model.listens(shard, numbers),
        "licence": model.licences(shard, made),
    })}  # fmt: skip
