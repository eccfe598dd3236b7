"""The bytes of a file: found, unfolded, and told what they are; every fault is one sentence.

Imports data. `table_files.py` makes a table of what is text. The next compression is recognised in `_stream`, the next
kind of file in `kind_of`.
"""

import bz2
import difflib
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

from .data import Table, quoted, table

__all__ = ["columnar", "contents", "kind_of", "unfolded"]

LIMIT = 2**32
"""How many bytes a compressed file may unfold to."""


def contents(source: Any) -> tuple[str, bytes]:
    """What to call the source, and its bytes."""
    if hasattr(source, "read"):
        content = source.read()
        if isinstance(content, str):
            content = content.encode("utf-8")
        return str(getattr(source, "name", "the file")), content
    if source == "-":
        return "standard input", sys.stdin.buffer.read()
    path = Path(source)
    try:
        return str(path), path.read_bytes()
    except FileNotFoundError:
        folder = path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {str(folder)!r}") from None
        near = difflib.get_close_matches(path.name, [p.name for p in folder.iterdir()], 1, 0.6)
        guess = f"; did you mean {str(folder / near[0])!r}?" if near else f" in {str(folder.resolve())!r}"
        raise FileNotFoundError(f"there is no file {str(path)!r}{guess}") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{path} is a folder; name a file in it") from None
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror or error}") from None


def unfolded(name: str, content: bytes) -> bytes:
    """The content without its compression, up to `LIMIT` bytes."""
    try:
        for _ in range(2):  # a .csv.gz in a .zip, but not without end
            stream = _stream(name, content)
            if stream is None:
                return content
            with stream:
                content = stream.read(LIMIT + 1)
            if len(content) > LIMIT:
                raise ValueError(f"{name} unfolds to more than {LIMIT // 2**30} GiB; unpack it and read a part of it")
        return content
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        raise ValueError(
            f"{name} is compressed and cannot be unpacked ({error}); it may be cut short or locked"
        ) from None


def _stream(name: str, content: bytes) -> Any:
    if content[:2] == b"\x1f\x8b":
        return gzip.open(io.BytesIO(content))
    if content[:3] == b"BZh":
        return bz2.open(io.BytesIO(content))
    if content[:6] == b"\xfd7zXZ\0":
        return lzma.open(io.BytesIO(content))
    if content[:4] == b"\x28\xb5\x2f\xfd":
        return _zstandard(name, content)
    if content[:4] == b"PK\x03\x04":
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [m for m in archive.namelist() if not m.endswith("/") and not m.startswith("__MACOSX")]
        if any(m.startswith(("xl/", "word/", "ppt/")) or m == "mimetype" for m in members):
            raise ValueError(f"{name} is an office document; save the sheet as CSV (UTF-8) and read that")
        if len(members) != 1:
            raise ValueError(
                f"{name} holds {len(members)} files ({quoted(members, 4)}); unpack it and name one of them"
            )
        return archive.open(members[0])
    return None


def _zstandard(name: str, content: bytes) -> Any:
    try:
        from compression import zstd  # Python 3.14

        return zstd.open(io.BytesIO(content))
    except ImportError:
        pass
    try:
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content), read_across_frames=True)
    except ImportError:
        pass
    try:
        import pyarrow

        return pyarrow.CompressedInputStream(pyarrow.BufferReader(content), "zstd")
    except ImportError:
        raise ImportError(f"{name} is compressed with Zstandard: pip install zstandard, or unpack it first") from None


def kind_of(content: bytes) -> str:
    """What the first bytes say."""
    known = {
        b"PAR1": "Parquet",
        b"ARROW1": "Feather",
        b"%PDF": "a PDF",
        b"\x89PNG": "a picture",
        b"\xff\xd8\xff": "a picture",
        b"GIF8": "a picture",
        b"\xd0\xcf\x11\xe0": "an Excel 97 workbook",
        b"\x89HDF": "an HDF5 file",
        b"SQLite format 3": "an SQLite database",
        b"\x93NUMPY": "a NumPy array file",
        b"RDX": "an R workspace",
        b"RDA": "an R workspace",
        b"X\n\0": "an R object",
        b"\x80\x04": "a pickle",
        b"\x80\x05": "a pickle",
        b"$FL2": "an SPSS file",
        b"\x7fELF": "a program",
        b"MZ\x90": "a program",
    }
    for start, kind in known.items():
        if content.startswith(start):
            return kind
    if content[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" in content[: 2**16]:
        return "a binary file"
    return "text"


def columnar(name: str, content: bytes, kind: str) -> Table:
    """The table in a Parquet or Feather file."""
    try:
        frame = _feather(content) if kind == "Feather" else _parquet(content)
    except ImportError:
        way = 'pip install "bibun[all]", or save as CSV'
        raise ImportError(f"{name} is a {kind} file, which pyarrow reads: {way}") from None
    except Exception as error:
        raise ValueError(f"{name} is a damaged {kind} file: {' '.join(str(error).split())[:200]}") from None
    return table(frame)


def _feather(content: bytes) -> Any:
    from pyarrow import feather

    return feather.read_table(io.BytesIO(content))


def _parquet(content: bytes) -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        import polars

        return polars.read_parquet(io.BytesIO(content))
    return parquet.read_table(io.BytesIO(content))
