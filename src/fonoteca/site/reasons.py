"""Why something is described and not shared, in words for a reader, and who could change that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """``text`` says why; ``who`` says who can change it."""

    code: str
    text: str
    who: str


_OPERATOR = "The archive's operator can tell more."
_TOLD = {
    "not-held": ("This archive knows of the recording and has no copy of it.",
                 "Whoever has a copy that may be shared can give it to the archive's operator."),
    "no-claim": ("No source says under which licence it is, and without a licence nothing is shared.",
                 "The rights holder can state a licence; the source can record it."),
    "unknown-licence": ("The licence that a source names is not one that this archive can read.",
                        "The source can name the licence by its usual name or address."),
    "conflicting-claims": ("Sources name licences that permit different things. Until they agree, it is not shared.",
                           "The sources that differ can correct their records; the recording's page names them."),
    "no-redistribution": ("Its licence lets people listen, and does not let others pass the file on.",
                          "The rights holder can choose a licence that permits sharing."),
    "policy-free-only": ("Its licence permits sharing, with limits on use; this archive publishes free licences only.",
                         "The archive's operator can publish such recordings by a setting."),
    "withdrawn": ("It was published and has been withdrawn.",
                  "The archive's operator can restore it when the reason is settled."),
}  # fmt: skip


def reason(code: str | None, status: str) -> Reason:
    """The words for a reason of the ledger; for a code that is not known, those for the status."""
    name = code if code in _TOLD else status
    text, who = _TOLD.get(name, ("It is described here and not shared.", _OPERATOR))
    return Reason(code or status, text, who)
