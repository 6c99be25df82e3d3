"""The next element of an iterator, made by a thread while the last one is used: unpacking beside parsing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class _End:
    """Nothing more comes; or what was raised."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Ahead(Generic[T]):
    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._made: queue.Queue[T | _End] = queue.Queue(1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._make, name="ahead", daemon=True)

    def _put(self, value: T | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._made.put(value, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def _make(self) -> None:
        try:
            for value in self._source:
                if not self._put(value):
                    return
        except BaseException as error:
            self._put(_End(error))
        else:
            self._put(_End())
        finally:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()

    def __iter__(self) -> Iterator[T]:
        self._thread.start()
        try:
            while True:
                value = self._made.get()
                if isinstance(value, _End):
                    if value.error is not None:
                        raise value.error
                    return
                yield value
        finally:
            self._stop.set()
            self._thread.join()


def ahead(source: Iterator[T]) -> Iterator[T]:
    """The same elements and errors; one is made while another is used. Closing it closes the source."""
    return iter(_Ahead(source))
