"""The v1-only twin of a hybrid torrent, for clients that misread hybrids (docs/decisions/0014-v1-twins.md).

It is a function of the hybrid: the same name, files, piece length and v1 pieces, the same trackers and web seeds,
and no key of BEP 52, so that its info dictionary holds no empty key. Source of the rules: BEP 3, 9, 12, 19.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final
from urllib.parse import quote

from fonoteca.formats import bencode
from fonoteca.formats.metainfo_fields import Limits, decoded
from fonoteca.formats.metainfo_values import Metainfo, MetainfoError

_INFO: Final = (b"name", b"piece length", b"pieces", b"files", b"length")
"""The keys of an info dictionary of BEP 3; of the last two there is one."""
_BESIDE: Final = (b"announce", b"announce-list", b"url-list")


def v1_twin(hybrid: Metainfo) -> bytes:
    """The ``.torrent`` file of the twin.

    Raises:
        MetainfoError: ``torrent-padding``: the hybrid has pad files, which no torrent of ours may have.
    """
    return bencode.encode({b"info": _info(hybrid)} | {k: hybrid.top[k] for k in _BESIDE if k in hybrid.top})


def twin_infohash(hybrid: Metainfo) -> str:
    """Hex SHA-1 of the twin's info dictionary (BEP 3). Raises as :func:`v1_twin`."""
    return hashlib.sha1(bencode.encode(_info(hybrid)), usedforsecurity=False).hexdigest()


def twin_magnet(hybrid: Metainfo) -> str:
    """A magnet link with the twin's infohash (BEP 9) and the hybrid's addresses. Raises as :func:`v1_twin`."""
    parts = [("xt", f"urn:btih:{twin_infohash(hybrid)}")]
    parts += [("dn", quote(hybrid.name, safe=""))]
    parts += [("tr", quote(address, safe="")) for address in hybrid.trackers]
    parts += [("ws", quote(address, safe="")) for address in hybrid.web_seeds]
    return "magnet:?" + "&".join(f"{key}={value}" for key, value in parts)


def check_twin(hybrid: Metainfo, data: bytes) -> None:
    """Hold a twin against its hybrid: every field of BEP 3, and who is asked for the content.

    Fields outside of the info dictionary that are not ours are let be.

    Raises:
        MetainfoError: ``torrent-twin``, with the field that differs; ``torrent-limit`` and ``torrent-bencode`` as
            :func:`fonoteca.formats.metainfo.parse`; ``torrent-padding`` for a hybrid with pad files.
    """
    top = decoded(data, Limits(), "torrent-twin")
    info = top.get(b"info")
    if not isinstance(info, dict):
        raise MetainfoError("torrent-twin", "it has no info dictionary")
    for found, promised, keys in ((info, _info(hybrid), {*_INFO, *info}), (top, hybrid.top, _BESIDE)):
        for key in sorted(keys):
            if found.get(key) != promised.get(key):
                raise MetainfoError("torrent-twin", f"{key.decode('ascii', 'replace')!r} is not the hybrid's")


def _info(hybrid: Metainfo) -> dict[bytes, Any]:
    if hybrid.has_pad_files:
        raise MetainfoError("torrent-padding", "a hybrid with pad files gets no twin")
    info = hybrid.top[b"info"]
    return {key: info[key] for key in _INFO if key in info}
