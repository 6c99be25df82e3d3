"""A decoder that was taken over: runs in the real sandbox, and tries everything. Answers with what it could do.

The file that it is handed is JSON: ports that listen, canary files and folders, the parent's process id.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from fonoteca.audio.facts import Limits
from fonoteca.audio.worker import serve

LIBC = ctypes.CDLL(None, use_errno=True)


def _tcp(host: str, port: int, family: int = socket.AF_INET) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.settimeout(1)
        tried.connect((host, port))


def _udp(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        tried.sendto(b"out", ("127.0.0.1", port))


def _bind(port: int) -> None:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", port))
        tried.listen()


def _unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as tried:
        tried.connect(path)


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _thread() -> None:
    threading.Thread(target=lambda: None).start()


def _memory() -> None:
    with mmap.mmap(-1, 16 << 30):
        pass


def _memfd() -> None:
    with os.fdopen(os.memfd_create("x"), "wb", buffering=0) as stream:
        stream.write(b"code")


def _more_descriptors() -> None:
    for _ in range(200):
        os.dup(0)


def attempts(told: dict[str, Any], stream: IO[bytes]) -> dict[str, Callable[[], object]]:
    """Name → something that must not work."""
    canary, folder, parent, port = Path(told["canary"]), Path(told["folder"]), told["parent"], told["port"]
    fd = stream.fileno()
    return {
        "tcp to loopback": lambda: _tcp("127.0.0.1", port),
        "tcp over ipv6": lambda: _tcp("::1", port, socket.AF_INET6),
        "tcp outside": lambda: _tcp("192.0.2.1", 80),
        "udp": lambda: _udp(port),
        "listen": lambda: _bind(0),
        "unix socket": lambda: _unix(told["unix"]),
        "abstract unix socket": lambda: _unix("\0" + told["abstract"]),
        "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
        "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "name look-up": lambda: socket.getaddrinfo("example.org", 80, type=socket.SOCK_STREAM),
        "read a file": canary.read_bytes,
        "read passwords": lambda: Path("/etc/passwd").read_bytes(),
        "read own program": lambda: Path(sys.executable).read_bytes(),
        "list a folder": lambda: list(os.scandir(folder)),
        "list the root": lambda: list(os.scandir("/")),
        "read own memory map": lambda: Path("/proc/self/maps").read_text(),
        "read the parent's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "open the parent's memory": lambda: open(f"/proc/{parent}/mem", "r+b"),
        "overwrite a file": lambda: canary.write_bytes(b"gone"),
        "append to a file": lambda: canary.open("ab").write(b"more"),
        "truncate a file": lambda: os.truncate(canary, 0),
        "delete a file": canary.unlink,
        "rename a file": lambda: canary.rename(folder / "moved"),
        "link a file": lambda: os.link(canary, folder / "linked"),
        "make a file": lambda: (folder / "new").write_bytes(b"new"),
        "make a file in tmp": lambda: open("/tmp/fonoteca-escape", "wb"),
        "make a file in shm": lambda: open("/dev/shm/fonoteca-escape", "wb"),
        "make a folder": lambda: (folder / "newer").mkdir(),
        "make a symbolic link": lambda: (folder / "sym").symlink_to("/etc"),
        "make a pipe": lambda: os.mkfifo(folder / "pipe"),
        "make a device": lambda: os.mknod(folder / "dev", 0o600 | 0o020000, os.makedev(1, 3)),
        "remove a tree": lambda: shutil.rmtree(folder),
        "change a mode": lambda: canary.chmod(0o777),
        "change a time": lambda: os.utime(canary, (0, 0)),
        "change an owner": lambda: os.chown(canary, 12345, 12345),
        "set an attribute": lambda: os.setxattr(canary, "user.x", b"y"),
        "write to the input": lambda: os.write(fd, b"changed"),
        "truncate the input": lambda: os.ftruncate(fd, 0),
        "open the input for writing": lambda: open(f"/proc/self/fd/{fd}", "r+b"),
        "change the input's mode": lambda: os.fchmod(fd, 0o777),
        "fork": _fork,
        "start a thread": _thread,
        "run a program": lambda: subprocess.run(["/bin/true"], check=True),
        "become a program": lambda: os.execv("/bin/true", ["true"]),
        "kill the parent": lambda: os.kill(parent, signal.SIGTERM),
        "signal the parent": lambda: os.kill(parent, 0),
        "trace the parent": lambda: _checked(LIBC.ptrace(16, parent, 0, 0)),
        "another namespace": lambda: _checked(LIBC.unshare(0x20000000)),
        "mount": lambda: _checked(LIBC.mount(b"none", str(folder).encode(), b"tmpfs", 0, None)),
        "change the root": lambda: os.chroot(folder),
        "a file in memory": _memfd,
        "more memory": _memory,
        "raise the memory limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
        "raise the file limit": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
        "limit the parent": lambda: resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1)),
        "more descriptors": _more_descriptors,
    }


def attack(stream: IO[bytes], size: int, limits: Limits) -> dict[str, Any]:
    """Try everything; ``done`` lists what worked, ``tried`` all."""
    tried = attempts(json.loads(stream.read()), stream)
    done = []
    for name, attempt in tried.items():
        with contextlib.suppress(Exception):
            attempt()
            done.append(name)
    return {"tried": list(tried), "done": done}


def main() -> None:
    """As the real worker's."""
    for name in ("idna", "utf-8"):
        "a".encode(name)
    serve(Connection(int(sys.argv[1])), Limits(**json.loads(sys.argv[2])), attack)


if __name__ == "__main__":
    main()
