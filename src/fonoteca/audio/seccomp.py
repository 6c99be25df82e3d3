"""A system call filter for the decoder child: no sockets, no new processes, no tracing (Linux, seccomp(2)).

The filter is classic BPF over struct seccomp_data: check the architecture, then answer EPERM for each listed call,
and allow the rest. It comes last, as a third line behind the empty network namespace and Landlock.
"""

from __future__ import annotations

import ctypes
import platform
import struct

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_X32 = 0x40000000

# Names, then the numbers on x86-64 and on aarch64 (None: that call does not exist there).
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "fork": (57, None), "vfork": (58, None), "clone3": (435, 435),
    "clone": (56, 220), "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280),
    "perf_event_open": (298, 241), "keyctl": (250, 219), "add_key": (248, 217), "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282), "open_by_handle_at": (304, 265), "memfd_create": (319, 279),
    # Landlock guards what files hold, not what is noted about them.
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "chroot": (161, 51), "pivot_root": (155, 41),
}  # fmt: skip
# Changing limits is for the process itself only (first argument 0): the worker narrows its own for each file.
_PRLIMIT = (302, 261)
_FIRST_ARGUMENT = 16
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def program(machine: str) -> bytes | None:
    """The filter for a machine, or None where its call numbers are not known here."""
    if machine not in _ARCHITECTURES:
        return None
    architecture, column = _ARCHITECTURES[machine]
    numbers = sorted(n for n in (pair[column] for pair in _CALLS.values()) if n is not None)
    body = [_instruction(_LOAD, 4), _instruction(_EQUAL, architecture, 1, 0), _instruction(_RETURN, _KILL)]
    body.append(_instruction(_LOAD, 0))
    body += [_instruction(_EQUAL, _PRLIMIT[column], 0, 4), _instruction(_LOAD, _FIRST_ARGUMENT)]
    body += [_instruction(_EQUAL, 0, 0, 1), _instruction(_RETURN, _ALLOW), _instruction(_RETURN, _EPERM)]
    body.append(_instruction(_AT_LEAST, _X32, len(numbers) + 1, 0))
    body += [_instruction(_EQUAL, number, len(numbers) - at, 0) for at, number in enumerate(numbers)]
    body += [_instruction(_RETURN, _ALLOW), _instruction(_RETURN, _EPERM)]
    return b"".join(body)


def enforce(libc: ctypes.CDLL) -> bool:
    """Put the filter over this process, for good. False where the kernel or the machine has none."""
    code = program(platform.machine())
    if code is None:
        return False
    held = _Program(len(code) // 8, code)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(held), 0, 0) == 0)
