"""Object files on disk: what was compiled once is loaded the next time, by any process.

The name of an entry is a hash of all that its content follows from, so an entry is never out of date. Losing the cache,
or finding it broken or not writable, costs time and nothing else. Imports nothing of bibun.
"""

import contextlib
import hashlib
import os
import stat
import sys
import time
from pathlib import Path

__all__ = ["directory", "get", "key", "put"]

LIMIT = 256 << 20
"""How many bytes of entries the disk keeps."""

_MAGIC = b"bibun object 1\n"
_DAY = 86400.0
_CHECK_AFTER = 8 << 20  # bytes this process may write before it looks at the limit again
_MEMORY_LIMIT = 32 << 20

_memory: dict[str, bytes] = {}  # what this process has seen: all there is where the disk cannot be used
_written = 0


def directory() -> Path | None:
    """Where the entries are, or None where there is no place for them.

    `$BIBUN_CACHE` (set and empty: none), else `bibun/kernels` in the user's place for caches: `$XDG_CACHE_HOME` or
    `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
    """
    chosen = os.environ.get("BIBUN_CACHE")
    if chosen is not None:
        return Path(chosen).absolute() if chosen else None
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.join(home, ".cache")
    return Path(base, "bibun", "kernels") if os.path.isabs(base) else None


def key(*parts: str) -> str:
    """The name of an entry: a hash of what its content follows from."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


def get(key: str) -> bytes | None:
    """The object stored under a key; None where there is none, or it is not as this user wrote it."""
    found = _memory.get(key)
    if found is not None:
        return found
    folder = directory()
    if folder is None:
        return None
    path = folder / key
    try:
        data = _read(folder, path)
    except OSError:
        return None
    content = data[len(_MAGIC) + 32 :]
    if data[: len(_MAGIC) + 32] != _MAGIC + _checksum(key, content):
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    _remember(key, content)
    return content


def put(key: str, content: bytes) -> None:
    """Store an object: in memory, and on disk where that is possible."""
    global _written
    _remember(key, content)
    folder = directory()
    if folder is None:
        return
    temporary = folder / f".{key}.{os.getpid()}.{os.urandom(8).hex()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(os.stat(folder)):
            return
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as file:
                file.write(_MAGIC + _checksum(key, content) + content)
            os.replace(temporary, folder / key)  # at once, so that no process sees half of it
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _written += len(content)
        if _written >= _CHECK_AFTER or _unchecked_for(folder) > _DAY:
            _written = 0
            _trim(folder)
    except OSError:  # no such place, no right to write, no room
        pass


_BINARY = getattr(os, "O_BINARY", 0)


def _checksum(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


def _remember(key: str, content: bytes) -> None:
    if sum(map(len, _memory.values())) + len(content) > _MEMORY_LIMIT:
        _memory.clear()
    _memory[key] = content


def _ours(found: os.stat_result) -> bool:
    """Whether it is this user's, and no other can write it: what is loaded from it will be executed."""
    return not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)


def _read(folder: Path, path: Path) -> bytes:
    """The bytes of a file of ours; `OSError` where there is none."""
    if not _ours(os.stat(folder)):
        raise PermissionError(f"{folder} is not this user's alone")
    flags = os.O_RDONLY | _BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or not _ours(found):
            raise PermissionError(f"{path} is not a file of this user alone")
        data = file.read()
    if time.time() - found.st_mtime > _DAY:  # its time says when it was last used, to a day
        with contextlib.suppress(OSError):
            os.utime(path)
    return data


def _unchecked_for(folder: Path) -> float:
    """How long ago the limit was looked at, in seconds."""
    try:
        return time.time() - os.stat(folder / ".checked").st_mtime
    except OSError:
        return float("inf")


def _trim(folder: Path) -> None:
    """Remove what was used longest ago, until an eighth of the limit is free, and what a killed process left behind."""
    (folder / ".checked").write_bytes(b"")
    entries = []
    with os.scandir(folder) as found:
        for entry in found:
            with contextlib.suppress(OSError):  # another process may have removed it
                status = entry.stat(follow_symlinks=False)
                if not entry.name.startswith("."):
                    entries.append((status.st_mtime, status.st_size, entry.path))
                elif entry.name != ".checked" and time.time() - status.st_mtime > _DAY:
                    os.unlink(entry.path)
    total = sum(size for _, size, _ in entries)
    if total <= LIMIT:
        return
    for _, size, path in sorted(entries):
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size
        if total <= LIMIT - LIMIT // 8:
            return
