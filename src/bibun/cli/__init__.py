"""The command `bibun`. Imports everything below it, each part when it is asked for."""

import sys

__all__ = ["main"]

USAGE = """usage: bibun demo [FOLDER]

  demo      fit a linear and a logistic regression to a real table, by gradient descent and by Newton's method,
            and write two pictures into FOLDER (bibun-demo)
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        The exit code: 0, or 2 for a command it does not know or a folder it cannot write.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["demo"] and len(arguments) <= 2:
        from .demo import run

        return run(*arguments[1:])
    if arguments in (["-h"], ["--help"], []):
        print(USAGE, end="")
        return 0
    if arguments == ["--version"]:
        from .. import __version__

        print(f"bibun {__version__}")
        return 0
    print(f"bibun: no such command: {' '.join(arguments)}\n\n{USAGE}", end="", file=sys.stderr)
    return 2
