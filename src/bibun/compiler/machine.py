"""Machine code: IR text in, addresses of functions out.

`load` compiles with llvmlite, or takes what was compiled before from kernel_cache.py. No other file names llvmlite, and
here it is imported inside functions: `import bibun` stays light, and works where there is no llvmlite. The environment
variable `BIBUN_COMPILER=numpy` switches machine code off: `available` is then False. Imports kernel_cache.py.
"""

import contextlib
import ctypes
import functools
import itertools
import os
import platform
import re
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from . import kernel_cache

__all__ = ["Code", "available", "cpu", "lanes", "load"]

_NAME = re.compile(r"[^@\n]*@\"?([^\"(\n]+)\"?\(")

_lock = threading.RLock()  # one compilation at a time
_numbers = itertools.count()
_dropped: deque[Any] = deque()
"""Freed by the next `load`: the garbage collector may come where no lock may be asked for."""


class Code:
    """Loaded machine code; it lives as long as this object does.

    Attributes
    ----------
    names : tuple of str
        The functions in it.
    """

    def __init__(self, library: Any, names: tuple[str, ...]) -> None:
        self._library = library
        self.names = names

    def address(self, name: str) -> int:
        """Where the function is."""
        if name not in self.names:
            raise KeyError(f"no function {name!r} in this code; it has {', '.join(self.names)}")
        return int(self._library[name])

    def __del__(self, dropped: deque[Any] = _dropped) -> None:
        dropped.append(self._library)


class _Machine:
    """What llvmlite knows of this machine, and the place code is loaded into. Made on first use."""

    def __init__(self) -> None:
        import llvmlite
        import llvmlite.binding as binding

        if binding.llvm_version_info[0] < 20:  # llvmlite 0.45 is the first
            raise ImportError(
                f"llvmlite {llvmlite.__version__} is too old for bibun's compiler: it takes 0.45 or later"
            )
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        self.binding = binding
        self.triple = binding.get_process_triple()
        self.name = binding.get_host_cpu_name()
        try:
            self.features = binding.get_host_cpu_features().flatten()
        except RuntimeError:  # LLVM cannot tell on this system
            self.features = ""
        self.has = {word[1:] for word in self.features.split(",") if word.startswith("+")}
        version = ".".join(map(str, binding.llvm_version_info))
        self.key = f"llvmlite {llvmlite.__version__} LLVM {version} {self.triple} {self.name} {self.features}"
        self._target = binding.Target.from_triple(self.triple)
        self.targets: dict[int, Any] = {}

    def target(self, level: int) -> Any:
        """The code generator of an optimisation level."""
        if level not in self.targets:
            # position-independent: what is cached may be loaded anywhere
            self.targets[level] = self._target.create_target_machine(
                cpu=self.name, features=self.features, opt=level, reloc="pic", codemodel="small"
            )
        return self.targets[level]

    @functools.cached_property
    def linker(self) -> Any:
        # JITLink puts an object's sections side by side, none out of another's reach; failures are raised below
        return self.binding.create_lljit_compiler(self.target(2), use_jit_link=os.name == "posix", suppress_errors=True)

    def compiled(self, ir: str, level: int) -> bytes:
        """The object file of IR text."""
        try:
            module = self.binding.parse_assembly(ir, self.binding.create_context())  # which lives as long as the module
            module.verify()
        except RuntimeError as error:
            raise RuntimeError(f"the compiler wrote code that LLVM does not read (a fault of bibun): {error}") from None
        target = self.target(level)
        module.triple = self.triple
        module.data_layout = str(target.target_data)
        return bytes(target.emit_object(module))


@functools.cache
def _machine() -> _Machine | None:
    try:
        return _Machine()
    except (ImportError, OSError, RuntimeError):  # not installed, or its library does not load here
        return None


def available() -> bool:
    """Whether machine code can be made: llvmlite is installed, and the processor has fused multiply-add (or is arm64).

    False where the environment variable `BIBUN_COMPILER` is `numpy`.
    """
    if os.environ.get("BIBUN_COMPILER", "").lower() == "numpy":
        return False
    with _lock:
        machine = _machine()
    return machine is not None and ("fma" in machine.has or platform.machine().lower() in ("arm64", "aarch64"))


def lanes() -> int:
    """How many float64 numbers one vector register holds: 8 with AVX-512, 4 with AVX2, else 2."""
    with _lock:
        machine = _machine()
    has = machine.has if machine is not None else set()
    return 8 if "avx512f" in has and "avx512dq" in has else 4 if "avx2" in has else 2


def cpu() -> tuple[str, str]:
    """The processor's name and its features, as LLVM writes them."""
    with _lock:
        machine = _machine()
    return ("", "") if machine is None else (machine.name, machine.features)


def load(ir: str, symbols: Mapping[str, int] = {}, level: int = 2) -> Code:
    """Machine code of IR text, from the cache or compiled.

    Parameters
    ----------
    ir : str
        A module. Functions it declares are found by name: in `symbols`, then in the process (libm).
    symbols : mapping of str to int
        Addresses of functions the module declares.
    level : int
        How hard the code generator tries, 0 to 3. No passes are run whatever it is.

    Returns
    -------
    Code

    Raises
    ------
    RuntimeError
        The text is not IR, it declares a function that is nowhere, or `available()` is False.
    """
    if not available():
        raise RuntimeError("there is no machine code here: `pip install llvmlite`, or compile with the NumPy executor")
    names = tuple(name for head, name in _functions(ir, "define") if not head.startswith(("internal ", "private ")))
    with _lock:
        _dropped.clear()
        machine = _machine()
        assert machine is not None
        declared = [name for _, name in _functions(ir, "declare") if not name.startswith("llvm.")]
        found = {name: symbols.get(name) or _address(machine, name) for name in declared}
        missing = [name for name, address in found.items() if not address]
        if missing:
            raise RuntimeError(
                f"undefined functions in compiled code: {', '.join(missing)}; give `symbols` their addresses"
            )
        key = kernel_cache.key(machine.key, str(level), ir)
        objects = kernel_cache.get(key)
        if objects is None:
            objects = machine.compiled(ir, level)
            kernel_cache.put(key, objects)
        builder = machine.binding.JITLibraryBuilder().add_object_img(objects).add_current_process()
        for name, address in found.items():
            builder.import_symbol(name, address)
        for name in names:
            builder.export_symbol(name)
        try:
            return Code(builder.link(machine.linker, f"bibun{next(_numbers)}"), names)
        except RuntimeError as error:
            raise RuntimeError(f"compiled code cannot be loaded, a function it needs is missing: {error}") from None


def _functions(ir: str, word: str) -> list[tuple[str, str]]:
    """The rest of the line, and the name, of every function that IR text defines or declares."""
    parts = f"\n{ir}".split(f"\n{word} ")[1:]  # far quicker than a search for lines
    return [(part, match[1]) for part in parts if (match := _NAME.match(part))]


def _address(machine: _Machine, name: str) -> int:
    """Where a function of the process, or of the library of mathematics, is; 0 where there is none."""
    address = machine.binding.address_of_symbol(name)
    if not address:
        with contextlib.suppress(AttributeError, OSError):  # loaded, but not for all to see
            library = {"win32": "ucrtbase", "darwin": "libSystem.dylib"}.get(sys.platform, "libm.so.6")
            address = ctypes.cast(getattr(ctypes.CDLL(library), name), ctypes.c_void_p).value
    return address or 0


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # a child must not inherit a lock that another thread of the parent held
    os.register_at_fork(
        before=lambda: _lock.acquire(), after_in_parent=lambda: _lock.release(), after_in_child=_after_fork
    )
