"""What a visitor is told when something is not there or not allowed: one shape, as text or as JSON."""

from __future__ import annotations

from typing import Any

from fonoteca.core.errors import Failed, FonotecaError, NoSpace, RightsRefused, TrustFailed


class Refused(Exception):
    """An answer that is no success: an HTTP status and the error that says what, why and what to do.

    Attributes:
        status: HTTP status, 4xx or 5xx.
        error: in the one shape of the command line and the site.
        headers: further response headers.
    """

    def __init__(self, status: int, error: FonotecaError, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(error))
        self.status = status
        self.error = error
        self.headers = headers or {}

    def as_json(self) -> dict[str, Any]:
        """The fields of every error, and the HTTP status."""
        return self.error.as_json() | {"status": self.status}


def not_found(what: str, subject: str) -> Refused:
    """404: there is no such thing."""
    return Refused(404, Failed("not-found", f"There is no such {what} here",
                               "the address names nothing in this edition", "search for it from the front page",
                               subject[:200]))  # fmt: skip


def bad_request(code: str, why: str, remedy: str, subject: str) -> Refused:
    """400: the question makes no sense."""
    return Refused(400, Failed(code, "The question was not understood", why, remedy, subject[:200]))


def withdrawn(subject: str, reason: str) -> Refused:
    """451: it was withdrawn after it had been published."""
    return Refused(451, RightsRefused("withdrawn", "This was withdrawn and is no longer served", reason,
                                      "see the list of withdrawals at /withdrawals/withdrawals.json",
                                      subject))  # fmt: skip


def not_held(subject: str, pack: str, torrent: str | None) -> Refused:
    """404: published, but this mirror has no copy of the pack."""
    where = f"the torrent {torrent} has it" if torrent else "another mirror may have it"
    return Refused(404, Failed("pack-not-held", "This mirror does not hold these bytes",
                               f"pack {pack} is not in this copy of the archive", where, subject))  # fmt: skip


def stale(since: str) -> Refused:
    """503: a mirror that has not been able to ask for withdrawals for longer than its time of grace."""
    return Refused(503, TrustFailed("stale-mirror", "This mirror does not serve at present",
                                    f"what was withdrawn since {since} is not known here",
                                    "its operator runs 'fonoteca mirror run'; other mirrors may serve",
                                    None))  # fmt: skip


def no_search() -> Refused:
    """503: there is no room for a search index here."""
    return Refused(503, NoSpace("no-search", "This site has no search at present",
                                "there is no room here for a search index",
                                "its operator gives it more space and starts it anew; other pages work"))  # fmt: skip


_HTTP = {
    400: ("bad-request", "The question was not understood"),
    404: ("not-found", "There is no such page here"),
    405: ("method-not-allowed", "This page can only be read"),
    421: ("wrong-host", "This site does not answer to that name"),
    500: ("site-error", "The page could not be made"),
    503: ("no-edition", "There is no edition to show yet"),
}


def plain(status: int, why: str = "", subject: str = "") -> Refused:
    """The error for a bare HTTP status."""
    code, what = _HTTP.get(status, _HTTP[400] if status < 500 else _HTTP[500])
    remedy = {
        404: "start from the front page", 405: "use GET or HEAD", 503: "publish one with 'fonoteca publish'",
        421: "name it in the setting serve.hosts", 500: "try again; the site's log names the cause",
    }.get(status, "check the address")  # fmt: skip
    why = why or ("the address names nothing in this edition" if status == 404 else "see the status")
    return Refused(status, Failed(code, what, why, remedy, subject[:200] or None))


def of(error: FonotecaError) -> Refused:
    """A failure inside, without telling a stranger any path of this machine."""
    status = {"bad-limit": 400, "bad-offset": 400, "no-edition": 503}.get(error.code, 500)
    if status == 500:
        return plain(500, "a file of the edition is missing or damaged")
    if status == 503:
        return plain(503, "the publication is empty")
    return Refused(status, error)
