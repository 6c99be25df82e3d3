"""Takes away from the decoder child what decoding does not need (docs/explanation/decoder-sandbox.md).

In order: limits on memory, time, files and processes; an empty user and network namespace; Landlock, with no
right to any file; a system call filter. What the kernel does not offer is told, not passed over.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from pathlib import Path

from fonoteca.audio import seccomp
from fonoteca.audio.facts import Limits

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
# Rights that each version of Landlock knows (linux/landlock.h): all are handled, hence refused, none is given back.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
_OPEN_FILES = 32


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def mapped_bytes() -> int:
    """Address space of this process now; 0 where /proc is not there."""
    import resource

    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def limit_resources(limits: Limits, mapped: int) -> None:
    """POSIX limits of the whole life of the child; :func:`limit_file` narrows them for each file."""
    import resource

    most = mapped + limits.decode_memory_bytes + limits.max_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def limit_file(limits: Limits, mapped: int, size: int) -> None:
    """Memory and processor time for the next file. The file itself is mapped, so its size counts too."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped + limits.decode_memory_bytes + size
    resource.setrlimit(resource.RLIMIT_AS, (min(wanted, most), most))
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + limits.decode_seconds + 2, hard))


def _landlock(libc: ctypes.CDLL) -> int:
    """No file, no TCP, no signal outside. Returns the version that was enforced, 0 for none."""
    version = int(libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    files = (1 << _FILE_RIGHTS[max(v for v in _FILE_RIGHTS if v <= version)]) - 1
    net = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    rules = struct.pack("=QQQ", files, net, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    held = ctypes.create_string_buffer(rules, len(rules))
    ruleset = int(libc.syscall(_LANDLOCK_CREATE, held, ctypes.c_size_t(len(rules)), 0))
    if ruleset < 0 or libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) != 0:
        return 0
    return version


def confine(limits: Limits, mapped: int) -> list[str]:
    """Enforce everything that this system has, for good. Returns what could not be enforced, as sentences."""
    if sys.platform == "win32":
        return ["this system has no resource limits for child processes"]
    limit_resources(limits, mapped)
    if sys.platform != "linux":
        return ["the decoder runs as a plain limited process: this system has no namespaces and no Landlock"]
    libc = _libc()
    missing = []
    if libc.unshare(_NEW_USER | _NEW_NET) != 0:
        missing.append("no empty network namespace: the kernel does not let this user make one")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if not _landlock(libc):
        missing.append("no Landlock: the kernel does not offer it, so files stay readable to the decoder")
    if not seccomp.enforce(libc):
        missing.append(f"no system call filter: none is known for {platform.machine()}, or the kernel refuses it")
    return missing
