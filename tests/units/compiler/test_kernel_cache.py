"""The cache of objects: it gives back what was put in or nothing at all, whatever happens to the disk."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bibun.compiler import kernel_cache as cache

NAME = cache.key("a processor", "2", "some text")
POSIX = pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    where = tmp_path / "here" / "cache"
    monkeypatch.setenv("BIBUN_CACHE", str(where))
    monkeypatch.setattr(cache, "_written", 0)
    forget(monkeypatch)
    return where


def forget(monkeypatch):
    """As a new process would start."""
    monkeypatch.setattr(cache, "_memory", {})


def entries(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_an_entry_is_read_by_the_next_process(folder, monkeypatch):
    assert cache.get(NAME) is None
    cache.put(NAME, b"object")
    forget(monkeypatch)
    assert cache.get(NAME) == b"object"
    assert entries(folder) == [NAME]


def test_the_parts_of_a_key_do_not_run_together():
    assert len({cache.key("ab", "c"), cache.key("a", "bc"), cache.key("abc"), cache.key("abc", "")}) == 4


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(100_000)])
def test_contents(folder, monkeypatch, content):
    cache.put(NAME, content)
    forget(monkeypatch)
    assert cache.get(NAME) == content


@pytest.mark.parametrize("kept", [0, 1, 20, 46, 47, 60, -1])
def test_a_truncated_entry_is_none_and_removed(folder, monkeypatch, kept):
    cache.put(NAME, b"object" * 10)
    whole = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(whole[:kept])
    forget(monkeypatch)
    assert cache.get(NAME) is None
    assert entries(folder) == []
    cache.put(NAME, b"object" * 10)
    assert (folder / NAME).read_bytes() == whole


def test_any_changed_byte_is_noticed(folder, monkeypatch):
    cache.put(NAME, b"object")
    whole = (folder / NAME).read_bytes()
    for k in range(len(whole)):
        (folder / NAME).write_bytes(whole[:k] + bytes([whole[k] ^ 64]) + whole[k + 1 :])
        forget(monkeypatch)
        assert cache.get(NAME) is None


def test_an_entry_under_another_name_is_not_used(folder, monkeypatch):
    cache.put(NAME, b"object")
    other = cache.key("another")
    os.replace(folder / NAME, folder / other)
    assert cache.get(other) is None


def test_a_folder_in_place_of_an_entry(folder, monkeypatch):
    (folder / NAME).mkdir(parents=True)
    assert cache.get(NAME) is None
    cache.put(NAME, b"object")
    assert cache.get(NAME) == b"object"  # from memory
    assert os.listdir(folder / NAME) == []
    assert [name for name in os.listdir(folder) if name != ".checked"] == [NAME]  # no temporary file is left


@POSIX
def test_only_the_user_can_read_it(folder):
    cache.put(NAME, b"object")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


@POSIX
def test_what_others_can_write_is_not_read(folder, monkeypatch):
    cache.put(NAME, b"object")
    forget(monkeypatch)
    (folder / NAME).chmod(0o666)
    assert cache.get(NAME) is None
    (folder / NAME).chmod(0o600)
    folder.chmod(0o777)
    assert cache.get(NAME) is None
    cache.put(cache.key("other"), b"object")
    assert entries(folder) == [NAME]
    folder.chmod(0o700)
    forget(monkeypatch)
    assert cache.get(NAME) == b"object"


@POSIX
def test_what_belongs_to_another_user_is_not_read(folder, monkeypatch):
    cache.put(NAME, b"object")
    forget(monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: (folder / NAME).stat().st_uid + 1)
    assert cache.get(NAME) is None
    assert entries(folder) == [NAME]


@POSIX
def test_a_link_is_not_followed(folder, monkeypatch, tmp_path):
    cache.put(NAME, b"object")
    os.replace(folder / NAME, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", folder / NAME)
    forget(monkeypatch)
    assert cache.get(NAME) is None


def test_where_nothing_can_be_written_memory_serves(tmp_path, monkeypatch):
    forget(monkeypatch)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BIBUN_CACHE", str(tmp_path / "file" / "cache"))
    assert cache.get(NAME) is None
    cache.put(NAME, b"object")
    assert cache.get(NAME) == b"object"
    forget(monkeypatch)
    assert cache.get(NAME) is None


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(folder, monkeypatch):
    folder.mkdir(parents=True, mode=0o500)
    cache.put(NAME, b"object")
    assert cache.get(NAME) == b"object"
    assert entries(folder) == []


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.put(NAME, b"object")
    assert cache.get(NAME) == b"object"
    assert os.listdir(folder) == []


def test_an_interrupt_while_writing_leaves_nothing_behind(folder, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.put(NAME, b"object")
    assert os.listdir(folder) == []


def test_the_place(monkeypatch):
    monkeypatch.setenv("BIBUN_CACHE", "")
    assert cache.directory() is None
    monkeypatch.setenv("BIBUN_CACHE", "relative")
    assert cache.directory() == Path.cwd() / "relative"
    monkeypatch.delenv("BIBUN_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("/x/y").absolute()))
    assert cache.directory() == Path("/x/y/bibun/kernels").absolute()
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setattr(os.path, "expanduser", lambda path: str(Path("/home/someone").absolute()))
    assert cache.directory() == Path("/home/someone/.cache/bibun/kernels").absolute()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.directory() == Path("/home/someone/Library/Caches/bibun/kernels").absolute()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(Path("/local").absolute()))
    assert cache.directory() == Path("/local/bibun/kernels").absolute()
    monkeypatch.delenv("LOCALAPPDATA")
    assert cache.directory() is None
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # a user without a home
    assert cache.directory() is None
    forget(monkeypatch)
    cache.put(NAME, b"object")
    assert cache.get(NAME) == b"object"


def test_the_size_is_bounded_and_the_longest_unused_goes_first(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 100_000)
    names = [cache.key(str(k)) for k in range(40)]
    for k, name in enumerate(names):
        cache.put(name, bytes(10_000))
        os.utime(folder / name, (k, k))
    forget(monkeypatch)
    assert cache.get(names[3]) == bytes(10_000)  # now the latest used
    monkeypatch.setattr(cache, "_CHECK_AFTER", 1)
    cache.put(cache.key("last"), b"object")
    kept = entries(folder)
    assert names[3] in kept and cache.key("last") in kept and names[39] in kept
    assert names[0] not in kept and names[20] not in kept
    assert 60_000 < sum((folder / name).stat().st_size for name in kept) <= 100_000


def test_the_limit_is_rarely_looked_at(folder, monkeypatch):
    looked = []
    trim = cache._trim
    monkeypatch.setattr(cache, "_trim", lambda folder: looked.append(trim(folder)))
    for k in range(20):
        cache.put(cache.key(str(k)), b"object")
    assert len(looked) == 1
    os.utime(folder / ".checked", (0, 0))
    cache.put(cache.key("next day"), b"object")
    assert len(looked) == 2


def test_what_a_killed_process_left_is_removed(folder, monkeypatch):
    cache.put(NAME, b"object")
    (folder / f".{NAME}.1.0").write_bytes(b"half")
    (folder / f".{NAME}.2.0").write_bytes(b"being written")
    os.utime(folder / f".{NAME}.1.0", (0, 0))
    cache._trim(folder)
    assert sorted(os.listdir(folder)) == sorted([".checked", f".{NAME}.2.0", NAME])


def test_memory_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(cache, "_MEMORY_LIMIT", 1000)
    for k in range(50):
        cache.put(cache.key(str(k)), bytes(100))
    assert sum(map(len, cache._memory.values())) <= 1000


def test_reading_an_old_entry_renews_it(folder, monkeypatch):
    cache.put(NAME, b"object")
    os.utime(folder / NAME, (0, 0))
    forget(monkeypatch)
    cache.get(NAME)
    assert time.time() - (folder / NAME).stat().st_mtime < 100


MANY = """
import os, random, sys
from bibun.compiler import kernel_cache as cache
cache.LIMIT, cache._CHECK_AFTER = 300_000, 50_000
chosen = random.Random(int(sys.argv[1]))
for _ in range(600):
    k = chosen.randrange(40)
    name, content = cache.key(str(k)), bytes([k]) * (1000 + 500 * k)
    cache._memory.clear()
    found = cache.get(name)
    assert found is None or found == content
    if found is None:
        cache.put(name, content)
    if chosen.random() < 0.05:
        path = cache.directory() / name
        try:
            with open(path, "r+b") as file:
                file.truncate(chosen.randrange(1000))
        except OSError:
            pass
"""


def test_processes_at_once(folder):
    running = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", MANY, str(k)], stderr=subprocess.PIPE) for k in range(4)
    ]
    for process in running:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error.decode()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 300_000 + 4 * 72_000
    assert all(len(name) == 64 for name in entries(folder))
    assert [name for name in os.listdir(folder) if name.startswith(".")] == [".checked"]
