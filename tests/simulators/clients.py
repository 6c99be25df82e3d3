"""Torrent clients that others made, on loopback: nothing is announced to any network, and all of it ends in time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import urllib3

SECONDS = 60.0
"""What a client gets for all its torrents together: tens of megabytes over loopback, on a busy machine."""
_DONE = {"uploading", "stalledUP", "forcedUP", "queuedUP", "pausedUP"}


def aria2(program: str, out: Path, torrents: Sequence[Path | str]) -> None:
    """Fetch torrents (files, or magnets as text) side by side with aria2.

    Raises:
        AssertionError: one did not finish; with what aria2 said.
    """
    command = [
        program, "--no-conf", f"--dir={out}", "--seed-time=0", "--enable-dht=false", "--enable-dht6=false",
        "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--follow-torrent=false", "--disable-ipv6=true",
        "--interface=127.0.0.1", "--file-allocation=none", "--summary-interval=0", "--console-log-level=warn",
        f"--bt-stop-timeout={SECONDS / 2:.0f}", f"--max-concurrent-downloads={len(torrents)}",
        *map(str, torrents),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode == 0, f"{ran.stdout[-1500:]}{ran.stderr[-1500:]}"


_CONFIGURATION = r"""[LegalNotice]
Accepted=true

[Preferences]
Connection\ResolvePeerCountries=false
General\UseRandomPort=false
WebUI\Enabled=true
WebUI\Address=127.0.0.1
WebUI\Port={port}
WebUI\UseUPnP=false
WebUI\LocalHostAuth=false

[BitTorrent]
Session\Port={peers}
Session\Interface=
Session\InterfaceAddress=127.0.0.1
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\PeXEnabled=false
Session\LSDEnabled=false
Session\QueueingSystemEnabled=false
Session\MultiConnectionsPerIp=true
Session\Preallocation=false

[Network]
PortForwardingEnabled=false

[RSS]
Session\EnableProcessing=false
"""


class QBittorrent:
    """qBittorrent without a window, with a profile of its own; driven over its Web API on loopback."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._http = urllib3.PoolManager(timeout=10.0, retries=False)
        self._address = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> QBittorrent:
        port, peers = _free_port(), _free_port()
        self._address = f"http://127.0.0.1:{port}/api/v2"
        settings = self._folder / "qBittorrent" / "config" / "qBittorrent.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text(_CONFIGURATION.format(port=port, peers=peers))
        self._process = subprocess.Popen(
            [self._program, f"--profile={self._folder}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={"HOME": str(self._folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        try:
            self._wait_for_api()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._http.clear()

    def _wait_for_api(self) -> None:
        end = time.monotonic() + SECONDS / 2
        while True:
            assert self._process is not None
            assert self._process.poll() is None, f"qBittorrent ended at once: {self._process.returncode}"
            try:
                if self._http.request("GET", f"{self._address}/app/version").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                assert time.monotonic() < end, "qBittorrent did not open its Web API"
            time.sleep(0.1)

    def fetch(self, out: Path, torrents: Sequence[Path | str]) -> None:
        """Fetch torrents (files, or magnets as text) side by side.

        Raises:
            AssertionError: one did not finish; with their states.
        """
        fields: list[tuple[str, Any]] = [("savepath", str(out)), ("contentLayout", "Original")]
        files = [item for item in torrents if isinstance(item, Path)]
        fields += [("torrents", (path.name, path.read_bytes(), "application/x-bittorrent")) for path in files]
        fields += [("urls", "\n".join(item for item in torrents if isinstance(item, str)))]
        answer = self._http.request("POST", f"{self._address}/torrents/add", fields=fields)
        assert (answer.status, answer.data) == (200, b"Ok.")
        end, told = time.monotonic() + SECONDS, []
        while time.monotonic() < end:
            told = json.loads(self._http.request("GET", f"{self._address}/torrents/info").data)
            if len(told) == len(torrents) and all(t["progress"] == 1 and t["state"] in _DONE for t in told):
                return
            time.sleep(0.2)
        states = [(t["name"], t["state"], t["progress"]) for t in told]
        raise AssertionError(f"of {len(torrents)} torrents qBittorrent has {states}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
