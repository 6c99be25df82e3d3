"""A source on the bulk way whose rows are drawn from a seed: whatever a wide row may hold, some of them hold."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fonoteca.catalogue.wide import WIDE
from fonoteca.core.ids import Kind, make_id
from fonoteca.core.progress import Progress
from fonoteca.sources.bulk import Bulk, Sql
from fonoteca.sources.records import Dump, FieldLicence, SourceInfo

SOURCE = "musicbrainz"
LICENCES = ("CC0-1.0", "CC-BY-NC-4.0")


def entity(kind: Kind, key: str) -> int:
    return make_id(kind, SOURCE, key)


class RandomWide:
    """``count`` recordings on a fifth as many releases, by a tenth as many artists."""

    def __init__(self, seed: int, count: int = 60, chunks: int = 2, prefix: str = "") -> None:
        self.info = SourceInfo(SOURCE, "catalogue", "x", (FieldLicence("*", "CC0-1.0"),), "x", "x", "x")
        self._random = random.Random(seed)
        self._chunks = chunks
        self.keys: dict[str, list[str]] = {
            "artist": [f"{prefix}a{n}" for n in range(max(1, count // 10))],
            "release": [f"{prefix}l{n}" for n in range(max(1, count // 5))],
            "recording": [self._uuid() if not prefix else f"{prefix}{n}" for n in range(count)],
        }
        self.tables = {
            "artist": [self._artist(n, key) for n, key in enumerate(self.keys["artist"])],
            "release": [self._release(n, key) for n, key in enumerate(self.keys["release"])],
        }
        self.tables["recording"] = [self._recording(n, key) for n, key in enumerate(self.keys["recording"])]

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128)))

    def _maybe(self, *values: Any) -> Any:
        return self._random.choice([None, *values])

    def _some(self, *values: Any) -> list[Any] | None:
        return self._random.choice([None, [], list(values[:1]), list(values)])

    def _names(self, n: int) -> list[dict[str, str]] | None:
        names = [("isrc", f"QZAAA{n // 2:07d}"), ("url", f"https://x/{n}"), ("isrc", "QZSHARED00001"),
                 ("mbid", f"old-{n}")]  # fmt: skip
        return self._some(*[{"scheme": s, "value": v} for s, v in self._random.sample(names, 3)])

    def _credits(self) -> list[dict[str, Any]] | None:
        keys = self._random.sample(self.keys["artist"], min(2, len(self.keys["artist"])))
        made = [{"artist_id": entity(Kind.ARTIST, k), "name": f"N {k}", "role": r, "joined_by": j}
                for k, r, j in zip(keys, ("artist", "composer"), (" & ", ""), strict=False)]  # fmt: skip
        return self._some(*made)

    def _claims(self) -> list[dict[str, str]] | None:
        return self._some({"licence": "CC BY 4.0", "url": "", "evidence": "z"},
                          {"licence": "CC0", "url": "https://x", "evidence": ""})  # fmt: skip

    def _artist(self, n: int, key: str) -> dict[str, Any]:
        return {"id": entity(Kind.ARTIST, key), "key": key, "key_scheme": None, "name": f"Artist {n}",
                "sort_name": self._maybe(f"{n}, Artist"), "identifiers": self._names(10_000 + n),
                "member": "artist", "line": n + 1}  # fmt: skip

    def _release(self, n: int, key: str) -> dict[str, Any]:
        year = self._maybe(1990 + n)
        return {
            "id": entity(Kind.RELEASE, key), "key": key, "key_scheme": self._maybe("discogs"), "title": f"Release {n}",
            "artist": self._maybe("By"), "year": year, "date": self._maybe("1990-01"), "kind": self._maybe("Album"),
            "label": self._maybe("L"), "country": self._maybe("DE"), "track_count": 3, "flags": self._some("year-0000"),
            "credits": self._credits(), "identifiers": [{"scheme": "upc", "value": f"{n:012d}"}],
            "genres": self._some("folk", "ambient"), "claims": self._claims(), "member": "release", "line": n + 1,
        }  # fmt: skip

    def _recording(self, n: int, key: str) -> dict[str, Any]:
        near = [self.keys["release"][min(n // 5, len(self.keys["release"]) - 1)]]
        on = self._random.choice([near, near, near, [], near + self._random.sample(self.keys["release"], 1)])
        tracks = [{"release_id": entity(Kind.RELEASE, k), "disc": self._maybe(1, 2), "number": self._maybe(1, 9),
                   "title": self._maybe("Other")} for k in on]  # fmt: skip
        releases = [r for r in self.tables["release"] if r["key"] in on]
        first = min(releases, key=lambda r: (r["year"] or 32_767, r["id"]), default=None)
        listens = self._maybe(0, 5, 7_000, n)
        return {
            "id": entity(Kind.RECORDING, key), "key": key, "key_scheme": self._maybe("mbid"),
            "title": self._maybe("Same", f"Title {n}"), "artist": self._maybe("Somebody"),
            "release": first and first["title"], "release_id": first and first["id"],
            "release_year": first and first["year"], "year": self._maybe(1970), "duration_ms": self._maybe(0, n),
            "language": self._maybe("pt"), "flags": self._some("zero-duration", "ten-hours"),
            "credits": self._credits(), "tracks": tracks or None, "identifiers": self._names(n),
            "genres": self._some("folk", "ambient"), "listens": listens,
            "listens_licence": None if listens is None else self._random.choice(LICENCES),
            "listens_synthetic": self._maybe(True, False),
            "signals": self._some({"kind": "rating", "value": 4.5, "licence": "CC0-1.0", "synthetic": None},
                                  {"kind": "downloads", "value": 4.0, "licence": None, "synthetic": True}),
            "claims": self._claims(), "member": "recording", "line": n + 1,
        }  # fmt: skip

    def resolve(self, dump: Dump) -> Dump:
        return dump

    def describe(self, dump: Dump) -> SourceInfo:
        return self.info

    def warnings(self, dump: Dump) -> list[str]:
        return []

    def check(self, dump: Dump) -> None:
        pass

    def records(self, dump: Dump) -> Any:
        raise NotImplementedError

    def bulk(self, dump: Dump) -> Bulk | None:
        return _Bulk(self.tables, self._chunks, self.flat())

    def flat(self) -> Mapping[str, str]:
        """Flat fact table → its rows."""
        return {}


class _Bulk:
    def __init__(self, rows: Mapping[str, list[dict[str, Any]]], chunks: int, flat: Mapping[str, str]) -> None:
        self._rows, self._chunks, self._flat = rows, chunks, flat

    def space(self) -> int:
        return 1

    def result(self) -> int:
        return 1

    def prepare(self, sql: Sql, progress: Progress) -> None:
        for table, rows in self._rows.items():
            path = sql.work / f"given-{table}.parquet"
            numbered = [row | {"n": n} for n, row in enumerate(rows)]
            pq.write_table(pa.Table.from_pylist(numbered, schema=_schema(table)), path)
            sql.view(f"given_{table}", f"FROM read_parquet('{path}')")

    def tables(self) -> Mapping[str, int]:
        return {"artist": 1, "release": 1, "recording": self._chunks}

    def rows(self, table: str, chunk: int) -> str:
        chunks, count = self.tables()[table], len(self._rows[table])
        low, high = chunk * count // chunks, (chunk + 1) * count // chunks
        return f"SELECT * EXCLUDE n FROM given_{table} WHERE n >= {low} AND n < {high} ORDER BY n"

    def flat(self) -> Mapping[str, str]:
        return self._flat

    def refusals(self) -> str | None:
        return None

    def counts(self) -> Mapping[str, int]:
        return {"rows": len(self._rows["recording"]), "recordings": len(self._rows["recording"])}


def _schema(table: str) -> pa.Schema:
    """The wide table's columns as Arrow types."""
    import duckdb

    columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in WIDE[table].items()
                        if name not in {"source", "dataset", "dump"})  # fmt: skip
    with duckdb.connect() as connection:
        schema = connection.sql(f"SELECT {columns}").to_arrow_table().schema
    return pa.schema([*schema, ("n", pa.int64())])
