"""Wrong values for each kind of argument, by the name that the parsers give to the kind."""

from __future__ import annotations

from dataclasses import dataclass

LONG = "x" * 5_000
DEEP = "/".join(["x" * 200] * 30)
HUGE = "9" * 400
CONTROL = "a\x1b[31m\x07\x00b"
LONE = "a\ud800b"
BYTES = "a\udcffb"
"""Bytes that are no UTF-8, as the system hands them over."""
ARABIC = "٣x"

USAGE = frozenset({2})
READ = frozenset({1, 2})
"""What is not there, or cannot be read, is the caller's mistake; what the operating system says no to is a failure."""


@dataclass(frozen=True)
class Wrong:
    """A wrong value, and the exit codes of which one must be given. 0: taken as it is, for it does no harm."""

    value: str
    codes: frozenset[int] = USAGE


def _paths(*more: Wrong) -> tuple[Wrong, ...]:
    return (Wrong("{home}/not/there"), Wrong("a\x00b"), Wrong(LONG, READ), Wrong(DEEP, READ), Wrong(CONTROL),
            Wrong(LONE), Wrong(BYTES, READ), *more)  # fmt: skip


NUMBERS = (Wrong("x"), Wrong("-1"), Wrong("1.5"), Wrong(""), Wrong("1e3"), Wrong("0x10"), Wrong(CONTROL),
           Wrong(ARABIC), Wrong(HUGE))  # fmt: skip
OUTPUT = (Wrong("{wrong}/folder", READ), Wrong("{root}/below.csv", READ), Wrong("a\x00b.csv", READ),
          Wrong(LONG + ".csv", READ), Wrong("", READ))  # fmt: skip
IDS = (Wrong("nonsense", READ), Wrong("r" + "0" * 13, READ), Wrong("r", READ), Wrong("", READ), Wrong("isrc:", READ),
       Wrong("isrc:NOTANISRC", READ), Wrong("isrc:USS1Z9900001", READ), Wrong("sha256:zz", READ),
       Wrong("sha256:" + "0" * 64, READ), Wrong("mbid:1", READ), Wrong("upc:١٢", READ), Wrong("nobody:1", READ),
       Wrong(HUGE, READ), Wrong(LONG, READ), Wrong(CONTROL, READ), Wrong(LONE, READ),
       Wrong("' OR 1=1", READ))  # fmt: skip

KINDS: dict[str, tuple[Wrong, ...]] = {
    "PATH": _paths(),
    "CSV": _paths(Wrong("{wrong}/folder"), Wrong("{wrong}/binary.csv"), Wrong("{wrong}/empty.csv"),
                  Wrong("{wrong}/prose.csv")),
    "FILE": _paths(Wrong("{wrong}/folder"), Wrong("{wrong}/torn.toml"), Wrong("{wrong}/binary.csv"),
                   Wrong("{wrong}/list.json")),
    "OUTPUT": OUTPUT,
    "DIR": (Wrong("{root}", READ), Wrong("{root}/below", READ), Wrong("{music}"), Wrong("a\x00b", READ),
            Wrong(LONG, READ), Wrong("{home}/archive")),
    "N": NUMBERS,
    "SIZE": (Wrong("x"), Wrong("-5"), Wrong("1e400"), Wrong("10QB"), Wrong(""), Wrong("NaN"), Wrong("inf"),
             Wrong("GB"), Wrong(CONTROL), Wrong(ARABIC)),
    "DURATION": (Wrong("x"), Wrong("-5s"), Wrong(""), Wrong("1w"), Wrong("1.5h"), Wrong(HUGE + "d"), Wrong(CONTROL),
                 Wrong("٣s")),
    "ID": IDS,
    "URL": (Wrong("ftp://127.0.0.1/"), Wrong("http://"), Wrong("http://127.0.0.1:99999"), Wrong("http://127.0.0.1:x/"),
            Wrong(""), Wrong("file:///etc/passwd"), Wrong("http://a b/"), Wrong("http://" + CONTROL), Wrong("//x/y"),
            Wrong("http://[::1"), Wrong("http://127.0.0.1:9/", frozenset({14})),
            Wrong("http://127.0.0.1/" + LONG * 20, frozenset({2, 14}))),
    "URL|PATH": (Wrong("ftp://127.0.0.1/"), Wrong("http://"), Wrong("{home}/not/there"), Wrong("a\x00b"),
                 Wrong("{root}"), Wrong("http://127.0.0.1:99999"), Wrong(LONG, READ)),
    "SOURCE": (Wrong("nobody"), Wrong(""), Wrong("../folder"), Wrong(CONTROL), Wrong(LONG)),
    "NAME": (Wrong("nobody"), Wrong("../up"), Wrong(CONTROL), Wrong(LONG)),
    "ROLE": (Wrong("nobody"), Wrong(""), Wrong("../root"), Wrong(CONTROL), Wrong(LONG)),
    "WAY": (Wrong("pigeon"), Wrong(""), Wrong(CONTROL)),
    "CHOICE": (Wrong("nothing"), Wrong(""), Wrong(CONTROL)),
    "HOST:PORT": (Wrong("127.0.0.1"), Wrong(":1"), Wrong("127.0.0.1:99999"), Wrong("127.0.0.1:x"), Wrong(""),
                  Wrong("127.0.0.1:٣"), Wrong(CONTROL)),
    "H": (Wrong("no such host", READ), Wrong("300.1.1.1", READ), Wrong(CONTROL, READ), Wrong(LONG, READ),
          Wrong("203.0.113.7", READ)),
    "TEXT": (Wrong(""), Wrong("  "), Wrong(CONTROL), Wrong(LONG * 1_000), Wrong(LONE)),
    "LIST": (Wrong(CONTROL), Wrong(LONE)),
    "QUERY": (Wrong(""), Wrong(CONTROL), Wrong(LONE), Wrong(LONG * 20), Wrong("(" * 5_000)),
}  # fmt: skip

SPECIAL: dict[tuple[str, str], tuple[Wrong, ...]] = {
    # An output is not read.
    ("keys export", "output"): OUTPUT,
    ("export", "output"): (*OUTPUT, Wrong("{home}/x.docx"), Wrong("{home}/x")),
    # What is nothing to verify is no archive.
    ("verify", "path"): tuple(Wrong(w.value, frozenset({1, 2, 10})) for w in (*KINDS["PATH"], Wrong("{music}"))),
    # A licence is an id of another kind.
    ("intake", "licence"): tuple(Wrong(w.value) for w in IDS),
    ("ingest", "dataset"): (Wrong("../up"), Wrong("a b"), Wrong(".hidden"), Wrong(CONTROL), Wrong(LONG), Wrong(LONE)),
    # No edition has such a number.
    **{(name, "edition"): tuple(Wrong(w.value, frozenset({2, 10})) for w in (*NUMBERS, Wrong("0"), Wrong("7")))
       for name in ("index", "search", "show", "sql", "export")},
    **{(name, "workers"): (*NUMBERS, Wrong("0")) for name in ("intake", "verify", "repair")},
    ("mirror add", "root"): (*KINDS["FILE"], Wrong("{wrong}/other.json", frozenset({2, 12}))),
    ("search", "query"): (Wrong(CONTROL), Wrong(LONE), Wrong('"' + LONG, frozenset({0, 2})),
                          Wrong("(" * 5_000, frozenset({0, 2}))),
    ("serve", "port"): (*NUMBERS, Wrong("70000")),
    ("demo", "port"): (*NUMBERS, Wrong("70000")),
    ("sql", "query"): (*KINDS["QUERY"], *(Wrong(q) for q in (
        "SELECT", "SELECT nothing FROM nowhere", "DROP TABLE recordings", "COPY recordings TO '/tmp/x'",
        "SELECT * FROM read_csv('/etc/passwd')", "ATTACH 'x.db'", "INSTALL httpfs", "SELECT 1; SELECT 2",
        "PRAGMA version; DROP VIEW recordings", "SET memory_limit='1TB'"))),
    ("export", "query"): (*KINDS["QUERY"], *(Wrong(q) for q in (
        "SELECT", "DROP TABLE recordings", "SELECT 1; SELECT 2"))),
    ("publish", "base_url"): tuple(Wrong(w.value) for w in KINDS["URL"] if w.codes == USAGE and w.value),
}  # fmt: skip


def wrong_values(name: str, dest: str, kind: str) -> tuple[Wrong, ...]:
    """The wrong values of one argument. KeyError: a kind that is new and needs a line here."""
    return SPECIAL.get((name, dest)) or KINDS[kind]
