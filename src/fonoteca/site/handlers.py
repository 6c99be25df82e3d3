"""What each address does: reads the question, asks the edition, gives the page or its JSON."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fonoteca.core.ids import Kind, parse_id, show_id
from fonoteca.formats.withdrawals import WithdrawalList
from fonoteca.search.searcher import MAX_OFFSET
from fonoteca.site import errors, licences, views
from fonoteca.site.edition import Edition, safe_mime
from fonoteca.site.files import PublicFiles
from fonoteca.site.paging import address, count
from fonoteca.site.ranges import Ranged, Region, open_regular
from fonoteca.site.render import Pages
from fonoteca.site.shelf import Shelf

PAGE = 20
"""Hits on a page unless asked for more."""
MOST = 100
"""Hits on a page at most."""
_HEX = frozenset("0123456789abcdef")
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
View = Callable[[Edition, WithdrawalList, int], "dict[str, Any] | None"]


class Handlers:
    """The site's answers over one shelf."""

    def __init__(self, shelf: Shelf, pages: Pages) -> None:
        self._shelf = shelf
        self._pages = pages
        self._files = PublicFiles(shelf.data.publication, lambda: self._shelf.current().edition.pack_files)
        self._static = _static()

    # Pages

    def front(self, request: Request) -> Response:
        """The search field, the edition's figures, what is heard most, how to mirror."""
        opened = self._shelf.current()
        edition = opened.edition
        hits = self._hits(opened.searcher.most_heard(12).as_json()["hits"]) if opened.searcher else []
        value = {
            "name": self._shelf.data.name, "edition": edition.number, "created": edition.manifest.created,
            "totals": edition.totals | {"listed": dict(edition.manifest.totals)},
            "coverage": dict(edition.manifest.coverage), "most_heard": hits,
            "heard": any(hit["popularity"] is not None for hit in hits),
            "synthetic": edition.synthetic, "stale_since": self._shelf.data.standing().stale_since,
        }  # fmt: skip
        return self._pages.answer(request, "front.html", value, q="", base=str(request.base_url).rstrip("/"))

    def search(self, request: Request) -> Response:
        """Hits for ``q``; ``limit`` of them from ``after`` on."""
        asked = request.query_params
        q = asked.get("q", "")
        limit = count(asked.get("limit"), PAGE, 1, MOST, "limit")
        after = count(asked.get("after"), 0, 0, MAX_OFFSET, "after")
        opened = self._shelf.current()
        if opened.searcher is None:
            raise errors.no_search()
        value = opened.searcher.search(q, limit, after).as_json()
        value["hits"] = self._hits(value["hits"])
        path = request.url.path
        more = after + len(value["hits"]) < value["total"] or not value["total_is_exact"]
        next_at = after + limit
        value |= {
            "q": q, "limit": limit, "after": after, "edition": opened.edition.number,
            "next": _again(path, q, limit, next_at) if more and value["hits"] and next_at <= MAX_OFFSET else None,
            "previous": _again(path, q, limit, max(after - limit, 0)) if after else None,
        }  # fmt: skip
        return self._pages.answer(request, "search.html", value, q=q)

    def _hits(self, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        gone = self._shelf.withdrawals().withdrawn_recordings()
        found = []
        for hit in hits:
            playable = hit["playable"] and hit["id"] not in gone
            badge = licences.words(hit["licence"]) if playable else None
            found.append(hit | {"playable": playable, "badge": vars(badge) if badge else None})
        return found

    def recording(self, request: Request) -> Response:
        """A recording: player, licence, credit, files, torrent, provenance."""
        return self._entity(request, Kind.RECORDING, views.recording)

    def release(self, request: Request) -> Response:
        """An album issue and its tracks."""
        return self._entity(request, Kind.RELEASE, views.release)

    def artist(self, request: Request) -> Response:
        """A person or group and the recordings."""
        return self._entity(request, Kind.ARTIST, views.artist)

    def _entity(self, request: Request, kind: Kind, view: View) -> Response:
        told = request.path_params["id"]
        try:
            found, number = parse_id(told)
        except ValueError:
            raise errors.not_found(kind.word, told) from None
        if found is not kind:
            raise errors.not_found(kind.word, told)
        canonical = show_id(kind, number)
        if canonical != told:
            end = ".json" if request.url.path.endswith(".json") else ""
            return RedirectResponse(f"/{kind.word}/{canonical}{end}", 308)
        opened = self._shelf.current()
        value = view(opened.edition, self._shelf.withdrawals(), number)
        if value is None:
            raise errors.not_found(kind.word, told)
        return self._pages.answer(request, f"{kind.word}.html", value, q="")

    # Bytes

    def audio(self, request: Request) -> Response:
        """A blob, out of its pack."""
        sha256 = request.path_params["sha256"]
        if len(sha256) != 64 or not _HEX.issuperset(sha256):
            raise errors.not_found("audio file", sha256)
        edition = self._shelf.current().edition
        row = edition.located(sha256)
        if row is None:
            self._refuse_withdrawn({sha256}, sha256)
            raise errors.not_found("audio file", sha256)
        self._refuse_withdrawn({sha256}, sha256)
        gone = self._shelf.withdrawals().applying(show_id(Kind.RECORDING, row["recording_id"]), sha256)
        if gone is not None:
            raise errors.withdrawn(sha256, gone.reason)
        stored = edition.packs.get(row["pack"])
        path = edition.pack_path(stored) if stored else None
        if stored is None or path is None:
            torrent = edition.torrent_of_volume.get(stored.volume) if stored else None
            raise errors.not_held(sha256, row["pack"], torrent.name if torrent else None)
        name = (row["path"] or sha256).rpartition("/")[2]
        return self._send(request, Region(path, safe_mime(row["mime"]), sha256, row["offset"], row["bytes"], name))

    def file(self, request: Request) -> Response:
        """A file of the publication, for mirrors and web seeds."""
        wanted = request.scope["path"].removeprefix("/")
        self._shelf.check_standing()
        region = self._files.find(wanted)
        if region is None:
            raise errors.not_found("file", wanted)
        if wanted.startswith("packs/"):
            self._refuse_packs(wanted)
        return self._send(request, region)

    def _send(self, request: Request, region: Region) -> Response:
        try:
            return Ranged(region, open_regular(region.path), request.headers)
        except FileNotFoundError:
            raise errors.not_held(region.path.name, region.path.name, None) from None

    def _refuse_withdrawn(self, blobs: set[str], subject: str) -> None:
        gone = self._shelf.withdrawals()
        for blob in blobs & gone.withdrawn_blobs():
            entry = next((e for e in reversed(gone.entries) if blob in e.blobs), None)
            raise errors.withdrawn(subject, entry.reason if entry else "it was withdrawn")

    def _refuse_packs(self, wanted: str) -> None:
        """A pack that still has a withdrawn entry in it waits for its redaction; until then it is not served."""
        edition = self._shelf.current().edition
        blobs = self._shelf.withdrawals().withdrawn_blobs()
        for pack in edition.packs_with(blobs):
            if edition.packs[pack].address == wanted:
                raise errors.withdrawn(wanted, "a recording in this pack was withdrawn; its redaction follows")

    def static(self, request: Request) -> Response:
        """Style, script and sign of the site."""
        found = self._static.get(request.path_params["name"])
        if found is None:
            raise errors.not_found("file", request.path_params["name"])
        data, kind, etag = found
        headers = {"cache-control": "no-cache", "etag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(b"", 304, headers)
        return Response(data, 200, headers, kind)

    def robots(self, _: Request) -> Response:
        """Everything may be indexed but the bytes and the endless search."""
        lines = ["User-agent: *", "Disallow: /search", "Disallow: /audio/", "Disallow: /packs/",
                 "Disallow: /torrents/plan", ""]  # fmt: skip
        return Response("\n".join(lines), 200, {"cache-control": "no-cache"}, "text/plain; charset=utf-8")


def _static() -> dict[str, tuple[bytes, str, str]]:
    """Name → bytes, type and entity tag of each file beside the templates."""
    found = {}
    for file in sorted((resources.files("fonoteca.site") / "static").iterdir(), key=lambda f: f.name):
        kind = _KINDS.get(os.path.splitext(file.name)[1])  # noqa: PTH122
        if kind is not None:
            data = file.read_bytes()
            found[file.name] = (data, kind, f'"{hashlib.sha256(data).hexdigest()[:32]}"')
    return found


def _again(path: str, q: str, limit: int, after: int) -> str:
    return address(path, {"q": q, "limit": limit if limit != PAGE else None, "after": after or None})
