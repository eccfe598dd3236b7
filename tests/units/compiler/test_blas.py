"""BLAS on one thread for a while: and on as many as before afterwards, whoever leaves first."""

import threading

import numpy as np
import pytest

from bibun.compiler import blas

KNOWN = blas._functions()


@pytest.mark.skipif(KNOWN is None, reason="a BLAS of another kind")
def test_one_thread_inside_and_as_many_as_before_outside():
    read, write = KNOWN
    before = read()
    try:
        write(2)
        most = read()
        with blas.alone():
            assert read() == 1
            with pytest.raises(ValueError), blas.alone():
                raise ValueError
            assert read() == 1
        assert read() == most
    finally:
        write(before)


@pytest.mark.skipif(KNOWN is None, reason="a BLAS of another kind")
def test_threads_that_overlap():
    read, _ = KNOWN
    before, entered, leave = read(), threading.Event(), threading.Event()

    def work():
        with blas.alone():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    with blas.alone():
        thread.start()
        entered.wait(10)
    assert read() == 1  # the other one is inside still
    leave.set()
    thread.join()
    assert read() == before


def test_without_a_blas_that_can_be_told(monkeypatch):
    monkeypatch.setattr(blas, "_functions", lambda: None)
    with blas.alone():
        assert (np.eye(2) @ np.ones(2)).tolist() == [1.0, 1.0]
