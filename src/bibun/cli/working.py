"""`working`: a line on standard error that says what is going on, where that takes long. Imports nothing of bibun."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

__all__ = ["working"]

QUIET = 1.0  # seconds before the first line
EVERY = 0.5


@contextlib.contextmanager
def working(what: str, quiet: float | None = None) -> Iterator[None]:
    """While the block runs, and once it has run `quiet` seconds, `what … 3 s` in the last line of the terminal.

    Nothing is written where standard error is not a terminal, so that logs stay clean.
    """
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield
        return
    ended, shown = threading.Event(), threading.Event()
    began = time.monotonic()

    def tell() -> None:
        wait = QUIET if quiet is None else quiet
        while not ended.wait(wait):
            stream.write(f"\r\x1b[K{what} … {time.monotonic() - began:.0f} s")
            stream.flush()
            shown.set()
            wait = EVERY

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if shown.is_set():
            stream.write("\r\x1b[K")
            stream.flush()
