"""Figures as Markdown: one table row each, under a heading that says where and when they were taken."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.figure import Figure

HEAD = (
    "| figure | own | beside | ratio | target | | spread | CPU own / beside | memory own / beside | disk |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def row(figure: Figure) -> str:
    """A table row."""
    beside = f"{figure.beside}: {_shown(figure, figure.peer)}" if figure.peer else figure.beside
    cells = [
        f"{figure.promise} {figure.what}", _shown(figure, figure.own), beside,
        f"**{figure.ratio:{'.2f' if figure.ratio >= 0.01 else '.1g'}}**" if figure.peer else "",
        str(figure.target or ""), figure.verdict, f"{figure.spread:.0%}",
        f"{figure.own_cpu:.2f} / {figure.peer_cpu:.2f} s" if figure.own_cpu else "",
        f"{_mib(figure.own_memory)} / {_mib(figure.peer_memory)}" if figure.own_memory else "",
        _mib(figure.disk) if figure.disk else "",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _shown(figure: Figure, value: float) -> str:
    return f"{value:,.3g} {figure.unit}" if figure.unit else amount(value, figure.bytes)


def amount(seconds: float, count: int) -> str:
    """A rate in MB/s with its time, or a time alone."""
    return f"{count / seconds / 1e6:,.0f} MB/s ({seconds:.2f} s)" if count else f"{seconds * 1000:,.0f} ms"


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


def record(page: Path, title: str, facts: Iterable[str], figures: Iterable[Figure]) -> None:
    """Append a run to the page."""
    text = page.read_text("utf-8") if page.exists() else ""
    lines = ["", f"### {title}", "", *[f"- {fact}" for fact in facts], "", HEAD, *map(row, figures), ""]
    page.write_text(text.rstrip("\n") + "\n" + "\n".join(lines), "utf-8")
