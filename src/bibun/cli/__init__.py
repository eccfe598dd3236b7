"""The command `bibun`: which part of it is asked for, and how it ends. Each part loads when it is asked for.

The next subcommand is a line in `COMMANDS` and a file beside this one with a function that returns the exit code.
"""

import contextlib
import difflib
import os
import sys
from collections.abc import Callable

__all__ = ["main"]

USAGE = """usage: bibun fit FILE FORMULA [OPTIONS]
       bibun demo [FOLDER]

  fit       fit a linear or a logistic regression to a table in a file;
            bibun fit --help says how
  demo      fit both regressions to a real table, by gradient descent and by
            Newton's method, and write two pictures into FOLDER (bibun-demo)

  --help, --version

Exit codes: 0 done; 1 fitted, but not converged or not identified;
2 bad usage or input; 130 stopped by Ctrl-C.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit code: 0; 1 for a fit that has not converged or is not identified; 2 for bad usage or input; 130 for
        Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _printable()
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\nbibun: stopped by Ctrl-C", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough: `bibun fit … | head`
        _discard_output()
        return 0
    except OSError as error:
        if not _about_output(error):
            raise
        _discard_output()
        print(f"bibun: the output cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    if arguments[:1] in ([], ["-h"], ["--help"], ["help"]):
        print(USAGE, end="")
        return 0
    if arguments[0] in ("--version", "-V"):
        from .. import __version__

        print(f"bibun {__version__}")
        return 0
    name, rest = arguments[0], arguments[1:]
    if name in COMMANDS:
        return COMMANDS[name](rest)
    from ..report.tables import harmless

    near = difflib.get_close_matches(name.lower(), COMMANDS, 1, 0.5)
    guess = f" (did you mean bibun {near[0]}?)" if near else ""
    print(f"bibun: no such command: {harmless(' '.join(arguments))}{guess}\n\n{USAGE}", end="", file=sys.stderr)
    return 2


def _demo(arguments: list[str]) -> int:
    if arguments in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    if len(arguments) > 1 or any(a.startswith("-") for a in arguments):
        print("bibun demo: it takes one folder for its pictures, or nothing", file=sys.stderr)
        return 2
    from .demo import run

    return run(*arguments)


def _fit(arguments: list[str]) -> int:
    from .fit import command

    return command(arguments)


COMMANDS: dict[str, Callable[[list[str]], int]] = {"fit": _fit, "demo": _demo}


# --- the streams --------------------------------------------------------------------------------------------------


def _printable() -> None:
    """Let a terminal that lacks a letter show it escaped; the default is a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with contextlib.suppress(ValueError, OSError):
                reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Point standard output at nothing, so that what is left in its buffer fails no more at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _about_output(error: OSError) -> bool:
    """Whether an error with no file to its name came from printing: a full disk, a terminal that is gone."""
    import errno

    return error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG, errno.EDQUOT)
