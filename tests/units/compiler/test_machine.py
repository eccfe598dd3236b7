"""Machine code from IR text: what is loaded runs, and what is wrong is said."""

import ctypes
import gc
import os
import subprocess
import sys

import pytest

from bibun.compiler import kernel_cache, machine

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

DOUBLE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)

PLUS = "define double @f(double %x) {{\n  %y = fadd double %x, {:e}\n  ret double %y\n}}\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BIBUN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kernel_cache, "_memory", {})


def test_what_is_loaded_runs():
    code = machine.load(PLUS.format(1.0))
    assert code.names == ("f",)
    assert DOUBLE(code.address("f"))(2.0) == 3.0


def test_two_codes_have_functions_of_the_same_name():
    one, two = machine.load(PLUS.format(1.0)), machine.load(PLUS.format(2.0))
    assert (DOUBLE(one.address("f"))(0.0), DOUBLE(two.address("f"))(0.0)) == (1.0, 2.0)


def test_the_same_text_is_loaded_twice():
    one, two = machine.load(PLUS.format(1.0)), machine.load(PLUS.format(1.0))
    del one
    gc.collect()
    machine.load(PLUS.format(3.0))
    assert DOUBLE(two.address("f"))(0.0) == 1.0


def test_a_name_that_is_not_there():
    with pytest.raises(KeyError, match="no function 'g' in this code; it has f"):
        machine.load(PLUS.format(1.0)).address("g")


def test_internal_functions_are_not_seen_and_quoted_names_are():
    code = machine.load(
        "define internal double @inner(double %x) {\n  ret double %x\n}\n"
        'define double @"two words"(double %x) {\n  %y = call double @inner(double %x)\n  ret double %y\n}\n'
    )
    assert code.names == ("two words",)
    assert DOUBLE(code.address("two words"))(2.5) == 2.5


CALLS = """
declare double @cbrt(double)
declare double @bibun_given(double)
declare double @llvm.fma.f64(double, double, double)
define double @f(double %x) {
  %a = call double @cbrt(double %x)
  %b = call double @bibun_given(double %a)
  %c = call double @llvm.fma.f64(double %b, double %b, double %a)
  ret double %c
}
"""


def test_functions_are_found_by_name():
    given = DOUBLE(lambda x: 10 * x)
    address = ctypes.cast(given, ctypes.c_void_p).value
    for _ in range(2):  # compiled, and from the cache
        code = machine.load(CALLS, {"bibun_given": address})
        assert DOUBLE(code.address("f"))(8.0) == 402.0
    other = DOUBLE(lambda x: 0.0)
    code = machine.load(CALLS, {"bibun_given": ctypes.cast(other, ctypes.c_void_p).value})
    assert DOUBLE(code.address("f"))(8.0) == 2.0


def test_an_undefined_function_is_an_error(capfd):
    with pytest.raises(RuntimeError, match="undefined functions in compiled code: bibun_given; give `symbols`"):
        machine.load(CALLS)
    # and one that is asked for without a declaration
    with pytest.raises(RuntimeError, match="fault of bibun"):
        machine.load("define void @f() {\n  call void @nowhere()\n  ret void\n}\n")
    assert capfd.readouterr().err == ""
    assert DOUBLE(machine.load(PLUS.format(1.0)).address("f"))(0.0) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "define nonsense",
        "define double @f(i1 %c) {\nentry:\n  br i1 %c, label %a, label %b\na:\n  %x = fadd double 1.0, 2.0\n"
        "  br label %b\nb:\n  ret double %x\n}\n",
    ],
)
def test_what_is_not_ir_is_an_error(text):
    with pytest.raises(RuntimeError, match="wrote code that LLVM does not read"):
        machine.load(text)


def test_constants_and_tables_are_within_reach():
    table = ", ".join(f"double {float(k)}" for k in range(1000))
    code = machine.load(
        f"@table = private constant [1000 x double] [{table}]\n"
        "define double @f(double %x) {\n  %i = fptosi double %x to i64\n"
        "  %p = getelementptr double, ptr @table, i64 %i\n  %y = load double, ptr %p\n  ret double %y\n}\n"
    )
    assert DOUBLE(code.address("f"))(321.0) == 321.0


def test_vectors_as_wide_as_lanes():
    n = machine.lanes()
    code = machine.load(
        f"define void @f(ptr %p) {{\n  %v = load <{n} x double>, ptr %p, align 8\n"
        f"  %w = fadd <{n} x double> %v, %v\n  store <{n} x double> %w, ptr %p, align 8\n  ret void\n}}\n"
    )
    data = (ctypes.c_double * n)(*range(n))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.address("f"))(ctypes.addressof(data))
    assert list(data) == [2.0 * k for k in range(n)]


def test_a_second_process_does_not_compile(monkeypatch):
    machine.load(PLUS.format(1.5))
    monkeypatch.setattr(kernel_cache, "_memory", {})
    monkeypatch.setattr(machine._Machine, "compiled", None)
    assert DOUBLE(machine.load(PLUS.format(1.5)).address("f"))(0.0) == 1.5


def test_a_broken_entry_is_compiled_anew(monkeypatch, tmp_path):
    machine.load(PLUS.format(1.5))
    (entry,) = [path for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")]
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    monkeypatch.setattr(kernel_cache, "_memory", {})
    assert DOUBLE(machine.load(PLUS.format(1.5)).address("f"))(0.0) == 1.5
    assert entry.read_bytes() != bytes(content)


def test_levels_are_entries_of_their_own(tmp_path):
    for level in range(4):
        assert DOUBLE(machine.load(PLUS.format(0.5), level=level).address("f"))(1.0) == 1.5
    assert len([path for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")]) == 4


def test_it_is_switched_off_by_the_environment(monkeypatch):
    monkeypatch.setenv("BIBUN_COMPILER", "numpy")
    assert not machine.available()
    with pytest.raises(RuntimeError, match="no machine code here"):
        machine.load(PLUS.format(1.0))


def python(program, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_without_llvmlite_nothing_fails():
    done = python(
        "import sys; sys.modules['llvmlite'] = None\n"
        "from bibun.compiler import machine, threads, kernel_cache\n"
        "print(machine.available(), machine.lanes(), machine.cpu(), threads.count() > 0)"
    )
    assert done.stdout.split() == ["False", "2", "('',", "'')", "True"], done.stderr


def test_a_processor_without_fma_is_not_used(monkeypatch):
    monkeypatch.setattr(machine._machine(), "has", {"sse2"})
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert not machine.available()
    assert machine.lanes() == 2


def test_importing_does_not_import_llvmlite():
    done = python("import bibun.compiler.machine, bibun.compiler.threads, sys; print('llvmlite' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_code_outlives_nothing_at_the_end_of_the_process():
    done = python(
        "from bibun.compiler import machine\n"
        f"code = machine.load({PLUS.format(1.0)!r})\n"
        f"other = machine.load({PLUS.format(2.0)!r}); del other\n"
        "import builtins; builtins.kept = code\n"
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_loads_code_of_its_own():
    done = python(
        "import os, threading, warnings\n"
        "from bibun.compiler import machine\n"
        f"text = {PLUS!r}\n"
        "machine.load(text.format(1.0))\n"
        "going = True\n"
        "def work():\n"
        "    k = 0\n"
        "    while going:\n"
        "        k += 1\n"
        "        machine.load(text.format(float(k)))\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "warnings.simplefilter('ignore')\n"
        "for k in range(20):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        machine.load(text.format(0.5 + k))\n"
        "        os._exit(7)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
        "going = False\n"
        "thread.join()\n"
        "print('done')\n"
    )
    assert done.stdout == "done\n", done.stderr
