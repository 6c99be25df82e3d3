"""Every setting, in one table: name, type, default, help. Where a value came from is kept with it.

This module knows nothing of files or the environment: the command line hands it the layers, nearest first
(flag, environment, archive file, user file), and gets a frozen :class:`Settings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fonoteca.core.errors import Usage
from fonoteca.core.sizes import parse_size


@dataclass(frozen=True)
class Setting:
    """One setting. ``kind`` is ``text``, ``size`` (bytes), ``number``, ``flag`` or ``list`` (of text)."""

    name: str
    kind: str
    default: Any
    help: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "FONOTECA_" + self.name.replace(".", "_").upper()


TABLE: tuple[Setting, ...] = (
    Setting("catalogue.memory", "size", 8 * 2**30, "memory that catalogue work may use, in bytes"),
    Setting("catalogue.threads", "number", 2, "threads of the catalogue engine"),
    Setting("catalogue.engine", "text", "duckdb",
            "what reads tables, ranks, groups ISRCs and counts coverage: 'duckdb' (this machine) or 'spark' (a "
            "cluster; needs the extra 'spark', and refuses dumps other than tables)"),
    Setting("catalogue.spark_master", "text", "",
            "address of the Spark master, such as spark://host:7077; empty: a Spark inside this process"),
    Setting("intake.workers", "number", 2, "decoder processes that run at once"),
    Setting("intake.decode_seconds", "number", 600, "longest time that decoding one file may take, in seconds"),
    Setting("intake.decode_memory", "size", 1 << 30, "memory that decoding one file may use, in bytes"),
    Setting("intake.max_bytes", "size", 4 << 30, "largest audio file that is taken in, in bytes"),
    Setting("popularity.licences", "list", ["CC0-1.0"], "licences of the listen counts that popularity counts"),
    Setting("policy.publish", "text", "all",
            "what is published: 'all' (whatever permits redistribution) or 'free' (no NC, no ND)"),
    Setting("publish.pack_size", "size", 256 << 20, "bytes of audio after which a pack is sealed"),
    Setting("publish.piece_length", "size", 4 << 20, "bytes in a torrent piece; packs are filled to whole pieces"),
    Setting("publish.volume_size", "size", 150 * 10**9, "largest volume (the content of one torrent), in bytes"),
    Setting("publish.base_url", "text", "", "address where the publication is served: goes into torrents as web seed"),
    Setting("publish.trackers", "list", [], "tracker addresses written into torrents and magnets"),
    Setting("publish.workers", "number", 2, "packs that are sealed at once"),
    Setting("publish.nc_snapshot", "flag", False, "also write snapshot-nc/, metadata that forbids commercial use"),
    Setting("publish.name", "text", "fonoteca", "the archive's name, shown on its pages"),
    Setting("mirror.disk", "size", 0, "disk budget of this mirror, in bytes; 0: as planned last"),
    Setting("mirror.transport", "text", "auto", "how packs are fetched: 'auto', 'torrent' or 'http'"),
    Setting("mirror.listen", "text", "0.0.0.0:6881", "address on which the mirror seeds"),
    Setting("mirror.grace_days", "number", 45, "days of serving on when withdrawals cannot be refreshed"),
    Setting("serve.host", "text", "127.0.0.1", "address on which the site listens"),
    Setting("serve.port", "number", 8765, "port on which the site listens"),
    Setting("serve.hosts", "list", [], "names under which the site may be asked; none: any, or this machine's own "
            "names where it listens on this machine only"),
)  # fmt: skip
AT_ONCE = range(1, 257)
"""How many threads or processes may work at once."""
_RANGES = dict.fromkeys(("catalogue.threads", "intake.workers", "publish.workers"), AT_ONCE)
BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True)
class Layer:
    """One place that sets values: ``origin`` names it for a person (``flag``, a path, a variable)."""

    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """A setting's value and where it came from."""

    value: Any
    origin: str


class Settings:
    """The settings of one run, frozen. Read with :meth:`text`, :meth:`number`, :meth:`flag`, :meth:`list`."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)

    def origin(self, name: str) -> Value:
        """Value and origin; KeyError for a name that is not in the table."""
        return self._values[name]

    def text(self, name: str) -> str:
        """A text setting."""
        return str(self._values[name].value)

    def number(self, name: str) -> int:
        """A number or a size in bytes."""
        return int(self._values[name].value)

    def flag(self, name: str) -> bool:
        """A yes or no."""
        return bool(self._values[name].value)

    def list(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._values[name].value)

    def replaced(self, **values: Any) -> Settings:
        """A copy with other values (``publish__piece_length=16384``): for tests and the demo."""
        named = {k.replace("__", "."): Value(v, "program") for k, v in values.items()}
        for name in named:
            BY_NAME[name]
        return Settings(self._values | named)


def _wrong(setting: Setting, raw: object, origin: str, wanted: str) -> Usage:
    return Usage("bad-setting", f"The setting {setting.name} could not be read",
                 f"{raw!r} (from {origin}) is not {wanted}", f"write for example {setting.name} = "
                 f"{setting.default!r}; 'fonoteca config' lists all settings", setting.name)  # fmt: skip


def convert(setting: Setting, raw: Any, origin: str) -> Any:
    """A raw value (text from the environment, or a TOML value) as the setting's type.

    Raises:
        Usage: with the setting, the value and where it came from.
    """
    if setting.kind == "size" and isinstance(raw, str):
        try:
            return parse_size(raw)
        except ValueError:
            raise _wrong(setting, raw, origin, "a size such as 256MiB") from None
    if setting.kind in {"size", "number"}:
        return _number(setting, raw, origin)
    if setting.kind == "flag":
        if isinstance(raw, bool):
            return raw
        if str(raw).lower() in {"true", "yes", "1", "false", "no", "0"}:
            return str(raw).lower() in {"true", "yes", "1"}
        raise _wrong(setting, raw, origin, "true or false")
    if setting.kind == "list":
        items = [part.strip() for part in raw.split(",")] if isinstance(raw, str) else raw
        if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
            raise _wrong(setting, raw, origin, "a list of texts")
        return [i for i in items if i]
    if not isinstance(raw, str):
        raise _wrong(setting, raw, origin, "a text")
    return raw


def _number(setting: Setting, raw: Any, origin: str) -> int:
    try:
        whole = not isinstance(raw, bool) and not (isinstance(raw, float) and not raw.is_integer())
        value = int(raw) if whole else -1
    except (TypeError, ValueError):
        value = -1
    if value < 0:
        raise _wrong(setting, raw, origin, "a whole number from 0")
    limits = _RANGES.get(setting.name)
    if limits is not None and value not in limits:
        raise _wrong(setting, raw, origin, f"a whole number from {limits.start} to {limits.stop - 1}")
    return value


def resolve(layers: Sequence[Layer]) -> Settings:
    """The first layer that names a setting decides; defaults come last.

    Raises:
        Usage: a name that is no setting (with the nearest one that is), or a value of the wrong type.
    """
    values = {s.name: Value(s.default, "default") for s in TABLE}
    for layer in reversed(layers):
        for name, raw in layer.values.items():
            if name not in BY_NAME:
                import difflib

                near = difflib.get_close_matches(name, BY_NAME, 1)
                hint = f"did you mean {near[0]}?" if near else "'fonoteca config' lists all settings"
                raise Usage("unknown-setting", "The settings could not be read",
                            f"{layer.origin} sets {name!r}, which is no setting", hint, name)  # fmt: skip
            values[name] = Value(convert(BY_NAME[name], raw, layer.origin), layer.origin)
    return Settings(values)
