"""Trust: walks the signed metadata of a publication with python-tuf's own client, and says which attack it saw.

What was accepted once is kept in ``trust/<publisher>/``, outside the content, so that nothing older is ever
accepted again. A failed refresh changes nothing that is served. Source of the rules: the TUF specification,
"Detailed client workflow"; what the project adds (editions only grow, the list of withdrawals only grows) is in
docs/formats/mirror.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from fonoteca.core import canonical, durable
from fonoteca.core.clock import Clock
from fonoteca.core.errors import Failed, FonotecaError, NetworkFailed, TrustFailed
from fonoteca.core.fetch import Fetcher, HttpStatus
from fonoteca.formats import withdrawals
from fonoteca.formats.manifest import Edition, parse
from fonoteca.formats.withdrawals import WithdrawalList

WITHDRAWALS = "withdrawals/withdrawals.json"
"""Target path of the list of withdrawals."""
VERSION_LEAP = 1_000_000
"""A version that is so much higher than the last one is an attempt to lock mirrors out (TUF: fast-forward)."""
PUBLISHING_SECONDS = 2.0
"""A publisher that is between the list of withdrawals and its timestamp is done after this, by far."""
_OTHER_BYTES = {"trust-arbitrary-file", "trust-endless-data"}
_EDITION = re.compile(r"editions/(\d{4,9})/edition\.json")
_VERSIONED = re.compile(r"(?:(\d+)\.)?([A-Za-z0-9_-]+)\.json")
_CONFIG = UpdaterConfig(prefix_targets_with_hash=False)
_SEEN, _LAST_LIST = "seen.json", "last-withdrawals.json"


@dataclass(frozen=True)
class Release:
    """What the publisher says now, all of it verified.

    Attributes:
        edition: the newest edition.
        edition_json: its bytes, as signed.
        withdrawals: bytes of the list of withdrawals, as signed.
        metadata: the signed metadata as it is to be served on: file name under ``metadata/`` → bytes.
        expires: when the first of its signatures ends.
    """

    edition: Edition
    edition_json: bytes
    withdrawals: bytes
    metadata: dict[str, bytes]
    expires: datetime


def failed(code: str, why: str, subject: str, remedy: str = "") -> TrustFailed:
    """A failed check of signed metadata, in the one shape that all of them have."""
    return TrustFailed(code, "The publication was not accepted", why,
                       remedy or "nothing was changed; what was verified before is still served. "
                       "Ask the publisher if it lasts", subject)  # fmt: skip


class Trust:
    """One publisher's chain of trust.

    Args:
        folder: ``trust/<publisher>/``.
        url: the publication's address, without a slash at the end.
        root: the root metadata that the mirror's keeper got from the publisher by another way.
        reserve: told the bytes of every file before it is written; raises NoSpace to refuse.
    """

    def __init__(self, folder: Path, url: str, root: bytes, fetcher: Fetcher, clock: Clock,
                 reserve: Callable[[int], None]) -> None:  # fmt: skip
        self._folder = folder
        self._url = url
        self._root = root
        self._clock = clock
        self._reserve = reserve
        self._door = _Door(fetcher, folder / "metadata", reserve)

    def refresh(self) -> Release:
        """Walk the chain from the first root to the newest edition and the list of withdrawals.

        A publisher replaces the list before the timestamp that leads to it: who asks in between gets a list that is
        not signed yet. So where a signed file differs, the walk is done once more if there is a new timestamp soon.

        Raises:
            TrustFailed: a check failed; the code names the attack.
            NetworkFailed: the publisher cannot be reached.
            NoSpace: the metadata does not fit into the budget.
        """
        try:
            return self._walk()
        except TrustFailed as error:
            if error.code not in _OTHER_BYTES or "/" not in self._door.last:
                raise
            self._clock.sleep(PUBLISHING_SECONDS)
            if not self._timestamp_is_new():
                raise
        return self._walk()

    def _timestamp_is_new(self) -> bool:
        """Whether another timestamp is offered than the one that was accepted; the next walk judges it."""
        accepted = (self._folder / "metadata" / "timestamp.json").read_bytes()
        try:
            offered = self._door.download_bytes(f"{self._url}/metadata/timestamp.json", _CONFIG.timestamp_max_length)
        except tuf_errors.DownloadError:
            return False
        return offered != accepted

    def _walk(self) -> Release:
        updater = self._updater()
        with self._explained():
            updater.refresh()
            listed = updater.get_targetinfo(WITHDRAWALS)
        number, target = self._newest_edition()
        edition_json = self._target(target)
        edition = self._checked_edition(number, edition_json)
        listing = self._checked_list(listed)
        metadata, expires = self._metadata()
        self._remember(edition, edition_json, listing)
        return Release(edition, edition_json, listing, metadata, expires)

    def _updater(self) -> Updater:
        durable.make_folder(self._folder / "metadata")
        # python-tuf writes the root that it begins with anew each time, beside the one that is there.
        self._reserve(len(self._root))
        try:
            updater = Updater(str(self._folder / "metadata"), f"{self._url}/metadata", fetcher=self._door,
                              config=_CONFIG, bootstrap=self._root)  # fmt: skip
        except tuf_errors.RepositoryError as error:
            raise failed("trust-root", f"the root file is not valid root metadata ({error})", self._url,
                         "get the root file from the publisher again") from error  # fmt: skip
        # Expiry is judged by the clock of the run, as all else is; python-tuf takes the same moment from the system.
        updater._trusted_set.reference_time = self._clock.now()
        return updater

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """python-tuf's errors as ours: which attack it was."""
        try:
            yield
        except tuf_errors.DownloadError as error:
            raise self._transport(error) from error
        except (tuf_errors.RepositoryError, DeserializationError) as error:
            code, why = self._diagnose(error)
            raise failed(code, f"{self._door.last}: {why} ({error or type(error).__name__})", self._url) from error

    def _transport(self, error: Exception) -> FonotecaError:
        cause = self._door.failure
        if isinstance(cause, NetworkFailed) and cause.code == "too-long":
            return failed("trust-endless-data", f"{self._door.last}: the server sends more than was signed for",
                          self._url)  # fmt: skip
        if isinstance(cause, NetworkFailed) and cause.code == "too-slow":
            return failed("trust-slow-retrieval", f"{self._door.last}: {cause.why}", self._url)
        if isinstance(cause, FonotecaError):
            return cause
        return NetworkFailed("unreachable", "The publication could not be read", f"{self._url}: {error}",
                             "check the address and the network connection", self._url)  # fmt: skip

    def _diagnose(self, error: Exception) -> tuple[str, str]:
        role = self._door.last
        if isinstance(error, tuf_errors.ExpiredMetadataError):
            return "trust-freeze", "its signature has run out, and no newer one is offered"
        if isinstance(error, tuf_errors.UnsignedMetadataError):
            return "trust-signature", "it is not signed by enough of the keys that may sign it"
        if isinstance(error, tuf_errors.LengthOrHashMismatchError):
            return "trust-mix-and-match", "it is not the file that the signed snapshot names"
        if isinstance(error, tuf_errors.BadVersionNumberError):
            if role not in {"root", "timestamp"} and not self._door.is_listed_version():
                return "trust-mix-and-match", "it is not the version that the signed snapshot names"
            return "trust-rollback", "it is older than what was accepted before"
        return "trust-garbled", "it is not valid metadata"

    def _newest_edition(self) -> tuple[int, TargetFile]:
        targets = Metadata[Targets].from_file(str(self._folder / "metadata" / "targets.json")).signed
        found = {int(m[1]): t for path, t in targets.targets.items() if (m := _EDITION.fullmatch(path))}
        if not found:
            raise Failed("nothing-published", "There is nothing to mirror", f"{self._url} has published no edition yet",
                         "try again when it has", self._url)  # fmt: skip
        return max(found.items())

    def _target(self, target: TargetFile) -> bytes:
        """A signed file: no more bytes than signed for, and exactly those."""
        self._door.last = target.path
        with self._explained():
            data = self._door.download_bytes(f"{self._url}/{target.path}", target.length)
        try:
            target.verify_length_and_hashes(data)
        except tuf_errors.LengthOrHashMismatchError as error:
            raise failed("trust-arbitrary-file", f"{target.path} is not the file that was signed", self._url) from error
        return data

    def _checked_edition(self, number: int, data: bytes) -> Edition:
        try:
            edition = parse(data)
        except FonotecaError as error:
            raise failed("trust-bad-edition", f"edition {number}: {error.why}", self._url, error.remedy) from error
        if edition.number != number:
            raise failed("trust-wrong-file", f"edition {edition.number} is offered under the name of {number}",
                         self._url)  # fmt: skip
        for ref in edition.torrents:
            if not re.fullmatch(r"torrents/(v1/)?[^/]+\.torrent", ref.path):
                raise failed("trust-extra-file", f"edition {number} asks for {ref.path!r}, which is no torrent",
                             self._url)  # fmt: skip
        seen = self._seen()
        digest = hashlib.sha256(data).hexdigest()
        if number < seen.get("edition", 0):
            raise failed("trust-edition-rollback", f"edition {number} is offered, {seen['edition']} was there before",
                         self._url)  # fmt: skip
        if number == seen.get("edition") and digest != seen.get("sha256"):
            raise failed("trust-edition-changed", f"edition {number} was another one before", self._url)
        return edition

    def _checked_list(self, listed: TargetFile | None) -> bytes:
        if listed is None:
            raise failed("trust-no-withdrawals", f"{WITHDRAWALS} is not signed by its role", self._url)
        data = self._target(listed)
        last = self._folder / _LAST_LIST
        try:
            new = withdrawals.parse(data)
        except ValueError as error:
            raise failed("trust-bad-withdrawals", f"{WITHDRAWALS}: {error}", self._url) from error
        if last.is_file():
            old = self._remembered(last)
            if new.version < old.version:
                raise failed("trust-withdrawals-rollback", f"the list of withdrawals has {new.version} entries, it had "
                             f"{old.version} before", self._url)  # fmt: skip
            if not new.extends(old):
                raise failed("trust-withdrawals-rewritten", "the list of withdrawals no longer begins with the entries "
                             "that it had before", self._url)  # fmt: skip
        return data

    def _seen(self) -> dict[str, Any]:
        path = self._folder / _SEEN
        if not path.is_file():
            return {}
        try:
            found: dict[str, Any] = canonical.decode(path.read_bytes())
            if type(found["edition"]) is not int or not isinstance(found["sha256"], str):
                raise ValueError("it names no edition")
        except (ValueError, KeyError, TypeError) as error:
            raise self._forgotten(path, error) from error
        return found

    def _remembered(self, path: Path) -> WithdrawalList:
        try:
            return withdrawals.parse(path.read_bytes())
        except ValueError as error:
            raise self._forgotten(path, error) from error

    def _forgotten(self, path: Path, error: Exception) -> TrustFailed:
        """Without what was accepted last nobody can say whether what comes now is older."""
        return failed("trust-memory", f"{path}, what was accepted last, cannot be read ({error})", self._url,
                      "put it back from a backup, or start in a new folder: fonoteca --archive DIR mirror add "
                      f"{self._url} --root FILE")  # fmt: skip

    def _remember(self, edition: Edition, edition_json: bytes, listing: bytes) -> None:
        seen = canonical.encode({"edition": edition.number, "sha256": hashlib.sha256(edition_json).hexdigest()})
        for name, data in ((_LAST_LIST, listing), (_SEEN, seen)):
            path = self._folder / name
            if not path.is_file() or path.read_bytes() != data:
                self._reserve(len(data))
                durable.write_bytes(path, data)

    def _metadata(self) -> tuple[dict[str, bytes], datetime]:
        """All files that a mirror of this mirror needs to walk the chain itself, from the very first root on."""
        folder = self._folder / "metadata"
        roots = {int(p.name.partition(".")[0]): p.read_bytes() for p in (folder / "root_history").glob("*.root.json")}
        current = max(roots)
        found = {f"{v}.root.json": data for v, data in (self._older_roots(roots) | roots).items()}
        expires = [Metadata[Root].from_bytes(roots[current]).signed.expires]
        snapshot = Metadata[Snapshot].from_file(str(folder / "snapshot.json")).signed
        for name in [*sorted(snapshot.meta), "snapshot.json", "timestamp.json"]:
            path = folder / name
            if not path.is_file():
                continue
            signed = Metadata.from_file(str(path)).signed
            expires.append(signed.expires)
            served = name if name == "timestamp.json" else f"{signed.version}.{name}"
            found[served] = path.read_bytes()
        return found, min(expires)

    def _older_roots(self, roots: dict[int, bytes]) -> dict[int, bytes]:
        """Roots before the one that this mirror began with, each proved by signing the next."""
        found: dict[int, bytes] = {}
        following = roots[min(roots)]
        for version in range(min(roots) - 1, 0, -1):
            try:
                data = self._door.download_bytes(f"{self._url}/metadata/{version}.root.json", _CONFIG.root_max_length)
                Metadata.from_bytes(data).verify_delegate("root", Metadata.from_bytes(following))
            except (tuf_errors.RepositoryError, tuf_errors.DownloadError, DeserializationError, ValueError):
                break
            found[version] = following = data
        return found


class _Door(FetcherInterface):  # type: ignore[misc, unused-ignore]
    """python-tuf's downloads through :mod:`fonoteca.core.fetch`, with the budget asked first.

    Remembers what was asked for last and why it failed, so that an error can say so.
    """

    def __init__(self, fetcher: Fetcher, folder: Path, reserve: Callable[[int], None]) -> None:
        self.last = "root"
        self.failure: FonotecaError | None = None
        self._fetcher = fetcher
        self._folder = folder
        self._reserve = reserve
        self._version: int | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise NotImplementedError("everything is fetched with a maximum length")

    @contextlib.contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Not used: targets are fetched by :meth:`download_bytes`."""
        raise NotImplementedError

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """A file of at most ``max_length`` bytes."""
        match = _VERSIONED.fullmatch(url.rpartition("/")[2])
        if match and "/metadata/" in url:
            self.last = match[2]
        self.failure = None
        try:
            data = self._fetcher.get(url, max_length)
            self._reserve(len(data))
        except HttpStatus as error:
            self.failure = error
            raise tuf_errors.DownloadHTTPError(str(error), error.status) from error
        except FonotecaError as error:
            self.failure = error
            raise tuf_errors.DownloadError(str(error)) from error
        if "/metadata/" in url:
            self._refuse_leap(data)
        return data

    def _refuse_leap(self, data: bytes) -> None:
        self._version = _version(data)
        before = self._folder / f"{self.last}.json"
        trusted = _version(before.read_bytes()) if before.is_file() else 0
        if self._version is not None and self._version > (trusted or 0) + VERSION_LEAP:
            self.failure = failed("trust-fast-forward", f"{self.last}: version {self._version} follows {trusted}; it "
                                  "would lock this mirror out", self.last)  # fmt: skip
            raise tuf_errors.DownloadError(str(self.failure))

    def is_listed_version(self) -> bool:
        """Whether the file that came last has the version that the metadata before it names."""
        if self.last == "snapshot":
            timestamp = Metadata[Timestamp].from_file(str(self._folder / "timestamp.json")).signed
            return timestamp.snapshot_meta.version == self._version
        snapshot = Metadata[Snapshot].from_file(str(self._folder / "snapshot.json")).signed
        meta = snapshot.meta.get(f"{self.last}.json")
        return meta is not None and meta.version == self._version


def _version(data: bytes) -> int | None:
    """The version that metadata claims, before anything is verified; None where it has none."""
    try:
        version = canonical.decode(data)["signed"]["version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None
