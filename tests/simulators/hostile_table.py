"""A table of text as somebody's spreadsheet has it: every hostile value once, and many rows that collide."""

from __future__ import annotations

import random

import pyarrow as pa

COLUMNS = ("line", "key", "title", "artist", "release", "isrc", "mbid", "listens")
TEXTS = (
    None,
    "",
    " ",
    "Dawn",
    "  Dawn\t\n\r  of  a day ",
    "nul\0inside",
    "\x01\x02bell\x07",
    "high\x85control\x9f",
    "nbsp\u00a0end\u00a0",
    "\u3000全角\u3000",
    'it\'s "quoted"',
    "back\\slash \\n \\t \\u0041",
    "%_like_%",
    "${spark.master} {{x}} :name ?",
    "İıſK",
    "é e\u0301",
    "👩‍🚀🎵",
    "\u202eoverride",
    "\u2028line\u2029",
    "x" * 3_000,
    "`tick`",
    "/* c */ -- d",
    "\ufffd",
    "\U0010ffff",
    "\ufeffbom",
    "a\x1cb\x1f",
)
"""Any field."""
ISRCS = (
    None,
    "",
    "USRC17607839",
    "us-rc1-76-07839",
    " US RC1 76 07839 ",
    "ISRCUSRC17607839",
    "ISRC US-RC1-76-07839",
    "isrcUSRC17607839",
    "USRC1760783",
    "USRC176078390",
    "U5RC17607839",
    "USRC1760783٣",
    "ＵＳRC17607839",
    "USRC17607839\n",
    "USRC17607839\0",
    "USRC1760\u00a07839",
    "usſc17607839",
    "n/a",
    "-",
    "ISRC",
    "ISRCISRCUSRC17607839",
    "US\u2003RC1\u200a76-07839",
)
MBIDS = (
    None,
    "",
    "b1a9c0e9-d987-4042-ae91-78d6a3267d69",
    "B1A9C0E9-D987-4042-AE91-78D6A3267D69",
    "https://musicbrainz.org/recording/b1a9c0e9-d987-4042-ae91-78d6a3267d69",
    " x/b1a9c0e9-d987-4042-ae91-78d6a3267d69// ",
    "xb1a9c0e9-d987-4042-ae91-78d6a3267d69",
    "b1a9c0e9d9874042ae9178d6a3267d69",
    "b1a9c0e9-d987-4042-ae91-78d6a3267d69\n",
    "b1a9c0e9-d987-4042-ae91-78d6a3267d69 \n/",
    "1a9c0e9-d987-4042-ae91-78d6a3267d69",
    "g1a9c0e9-d987-4042-ae91-78d6a3267d69",
    "/",
    "///",
    "line\n/b1a9c0e9-d987-4042-ae91-78d6a3267d69",
    "٣1a9c0e9-d987-4042-ae91-78d6a3267d69",
)
COUNTS = (
    None,
    "",
    "0",
    "7",
    " 12 ",
    "1,234",
    "1,234,567",
    "12.5",
    "0.5",
    "1.4999999",
    "007",
    "-1",
    "+1",
    "1e3",
    "nan",
    "inf",
    "Infinity",
    "0x10",
    "1_000",
    "12d",
    "1f",
    "999999999999999",
    "1000000000000000",
    "9" * 40,
    "٣",
    "１２",
    "1.",
    ".5",
    "12\u00a0",
    "1 2",
    ",",
    "1,,2",
)


def written(draw: random.Random, rows: int = 3_000) -> pa.Table:
    """Rows with :data:`COLUMNS`, a number and texts: each value above, and keys that meet."""
    keys = [*TEXTS, *map(str, range(rows // 3)), " 1", "1 ", "\u00a01", "2\t", "2"]
    found = []
    for line in range(rows):
        if found and draw.random() < 0.1:
            found.append((line, *draw.choice(found)[1:]))
            continue
        title, artist, release = (TEXTS[(line + n) % len(TEXTS)] for n in range(3))
        isrc, mbid, count = (values[line % len(values)] for values in (ISRCS, MBIDS, COUNTS))
        found.append((line, draw.choice(keys), title, artist, release, isrc, mbid, count))
    draw.shuffle(found)
    kinds = [pa.int64(), *[pa.string()] * (len(COLUMNS) - 1)]
    columns = zip(*found, strict=True)
    return pa.table([pa.array(c, t) for c, t in zip(columns, kinds, strict=True)], names=list(COLUMNS))
