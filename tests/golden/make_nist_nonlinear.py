"""Writes nist_nonlinear.json: the 27 nonlinear regressions of NIST's Statistical Reference Datasets, from its .dat files.

    python tests/golden/make_nist_nonlinear.py FOLDER

FOLDER holds the files of https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml as they are. Brackets and names of
functions of the models become Python's; all numbers are the file's own (Rat43's degrees of freedom are a misprint there: 11).
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

SOURCE = "NIST/ITL Statistical Reference Datasets, nonlinear regression, https://www.itl.nist.gov/div898/strd/nls/"


def problem(text: str) -> dict[str, Any]:
    """One file: its model, data, both starts and the certified values."""
    lines = text.splitlines()
    left, right = model(text)
    start1, start2, values, deviations = zip(*(
        map(float, line.split("=")[1].split()) for line in lines if re.match(r"\s*b\d\s*=", line)
    ), strict=True)  # fmt: skip
    head = next(k for k, line in enumerate(lines) if re.match(r"Data:\s+y\s+x", line))
    names = lines[head].split()[1:]
    columns = zip(*(map(float, line.split()) for line in lines[head + 1 :] if line.strip()), strict=True)
    return {
        "level": re.search(r"(\w+) Level of Difficulty", text)[1],  # type: ignore[index]
        "response": left,
        "model": right,
        "start 1": start1,
        "start 2": start2,
        "values": values,
        "deviations": deviations,
        "residual sum of squares": after("Residual Sum of Squares", text),
        "residual standard deviation": after("Residual Standard Deviation", text),
        "degrees of freedom": after("Degrees of Freedom", text),
        "data": dict(zip(names, columns, strict=True)),
    }


def model(text: str) -> tuple[str, str]:
    """The response and its mean as Python expressions."""
    between = text.split("Parameters (b1", 1)[1].split("Starting", 1)[0]
    left, right = re.search(r"\n\s+(y|log\[y\])\s*=([^=]*)\+\s*e\b", between).groups()  # type: ignore[union-attr]
    right = " ".join(right.split())
    return tuple(s.translate(str.maketrans("[]", "()")).strip() for s in (left, right))  # type: ignore[return-value]


def after(what: str, text: str) -> float:
    """The number after a heading."""
    return float(re.search(rf"{what}:\s+(\S+)", text)[1])  # type: ignore[index]


if __name__ == "__main__":
    files = sorted(Path(sys.argv[1]).glob("*.dat"))
    found = {"source": SOURCE, "problems": {f.stem: problem(f.read_text(encoding="latin-1")) for f in files}}
    place = Path(__file__).with_name("nist_nonlinear.json")
    lines = re.sub(r"\n +(?=[-\d\]])", " ", json.dumps(found, indent=1))  # a list of numbers on one line
    place.write_text(lines.replace("[ ", "[").replace(" ]", "]") + "\n", encoding="utf-8")
