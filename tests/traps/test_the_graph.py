"""Traps of the graph: sharing, order, repeated calls, depth, memory, nesting, threads, arrays changed in place."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import bibun as bb
from bibun import Function, Variable


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        return 2 * self.input.data * gy


class AddMul(Function):
    def forward(self, a, b):
        return a + b, a * b

    def backward(self, gs, gp):
        a, b = (x.data for x in self.inputs)
        return gs + gp * b, gs + gp * a


def test_one_variable_used_twice_and_diamonds():
    x = Variable(np.array(3.0))
    y = x * x + x
    y.backward()
    assert x.grad.data == 7
    x.cleargrad()
    a = np.sin(x)
    (a * a + a * x).backward()
    assert np.isclose(x.grad.data, 2 * np.sin(3) * np.cos(3) + np.cos(3) * 3 + np.sin(3))


def test_the_same_variable_as_both_arguments_of_a_function():
    x = Variable(np.array(3.0))
    s, p = AddMul()(x, x)
    (s + p).backward()
    assert x.grad.data == 2 + 6


def test_order_on_a_branching_graph():
    # a plain stack visits a before the long branch has arrived
    x = Variable(np.array(2.0))
    a = Square()(x)
    y = Square()(Square()(Square()(a))) + Square()(a)
    y.backward()
    assert x.grad.data == 16 * 2.0**15 + 4 * 2.0**3


def test_one_instance_called_twice():
    f, x = Square(), Variable(np.array(3.0))
    y = f(f(x))
    assert y.creator is f
    y.backward()
    assert x.grad.data == 4 * 27
    u, v = Variable(np.array(2.0)), Variable(np.array(5.0))
    a, b = f(u), f(v)
    a.backward()
    b.backward()
    assert (u.grad.data, v.grad.data) == (4, 10)


def test_many_inputs_and_outputs_of_a_function():
    a, b = Variable(np.array(2.0)), Variable(np.array(3.0))
    f = AddMul()
    s, p = f(a, b)
    assert f.inputs[0] is a and f.inputs[1] is b and f.outputs[0] is s and f.outputs[1] is p
    assert s.creator is f and p.creator is f
    (2 * s + p).backward()
    assert (a.grad.data, b.grad.data) == (5, 4)
    a.cleargrad()
    only, _ = f(a, 7.0)
    only.backward()
    assert a.grad.data == 1


def test_set_creator_makes_the_chain_by_hand():
    f, x = AddMul(), Variable(np.array(2.0))
    f(x, 3.0)
    g = Square()
    g(x)
    y = Variable(np.array(4.0))
    y.set_creator(g)
    assert y.creator is g
    y.backward()
    assert x.grad.data == 4


def test_a_million_nodes_deep():
    x = Variable(np.array(1.0))
    y = x
    for _ in range(1_000_000):
        y = y + 1e-6
    y.backward()
    assert x.grad.data == 1
    z = copy.deepcopy(y)
    assert z is not y and z.data == y.data
    assert pickle.loads(pickle.dumps(y)).data == y.data
    del z, y


def test_user_functions_deep():
    class Add(Function):
        def forward(self, x):
            return x + 1

        def backward(self, gy):
            return gy

    x = Variable(np.array(0.0))
    y, f = x, Add()
    for _ in range(20_000):
        y = f(y)
    y.backward()
    assert x.grad.data == 1
    del y


def test_graphs_free_themselves_without_the_cycle_collector():
    gc.collect()
    gc.disable()
    try:
        big = Variable(np.ones(1000))
        y = np.sum(Square()(np.sin(big) * big))
        s, p = AddMul()(y, y)
        watch = [weakref.ref(v) for v in (y, s, p)]
        y.backward(retain_grad=True)
        y.creator.inputs
        del y, s, p
        assert [w() for w in watch] == [None, None, None]
    finally:
        gc.enable()


def test_memory_does_not_grow_over_a_training_loop():
    w = Variable(np.zeros(100))
    gc.collect()
    gc.disable()
    try:
        counts = []
        for _ in range(20):
            w.cleargrad()
            np.sum((w * 3 - 1) ** 2).backward()
            w.data -= 0.01 * w.grad
            counts.append(sum(isinstance(o, Variable) for o in gc.get_objects()))
        assert counts[-1] == counts[2]
    finally:
        gc.enable()


def test_backward_twice_adds_and_cleargrad_starts_afresh():
    x = Variable(np.array(3.0))
    y = x * x
    y.backward()
    y.backward()
    assert x.grad.data == 12
    x.cleargrad()
    assert x.grad is None
    y.backward()
    assert x.grad.data == 6


def test_gradients_of_intermediate_results_on_request():
    x = Variable(np.array(3.0))
    a = x * x
    y = a * 2
    y.backward()
    assert a.grad is None and y.grad is None
    x.cleargrad()
    y.backward(retain_grad=True)
    assert a.grad.data == 2 and y.grad.data == 1 and x.grad.data == 12


def test_no_grad_ends_with_an_exception_and_keeps_to_its_thread():
    x = Variable(np.array(3.0))
    with pytest.raises(ZeroDivisionError), bb.no_grad():
        assert (x * x).creator is None
        1 / 0
    assert (x * x).creator is not None
    seen = []
    inside, leave = threading.Event(), threading.Event()

    def pause():
        with bb.no_grad():
            inside.set()
            leave.wait()

    t = threading.Thread(target=pause)
    t.start()
    inside.wait()
    seen.append((x * x).creator is not None)
    leave.set()
    t.join()
    assert seen == [True]


def test_no_grad_in_a_generator():
    x = Variable(np.array(3.0))

    def values():
        with bb.no_grad():
            yield x * x

    g = values()
    assert next(g).creator is None
    g.close()
    assert (x * x).creator is not None


def test_two_threads_recording_at_once():
    def work(out, k):
        x = Variable(np.array(1.0 + k))
        for _ in range(200):
            y = x
            for _ in range(20):
                y = np.sin(y) * y
            x.cleargrad()
            y.backward()
        out[k] = float(x.grad.data)

    out: dict[int, float] = {}
    threads = [threading.Thread(target=work, args=(out, k)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()

    def f(x):
        for _ in range(20):
            x = np.sin(x) * x
        return x

    for k in range(4):
        assert np.isclose(out[k], bb.grad(f)(1.0 + k), rtol=1e-14)


def test_derivatives_nest_without_confusing_perturbations():
    # d/dx [x * d/dy (x + y)] = 1; a wrong nesting gives 2
    assert bb.grad(lambda x: x * bb.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert bb.jvp(lambda x: x * bb.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1
    f = lambda x: bb.grad(lambda y: bb.grad(lambda z: x * y**2 * z**3)(x))(x)
    assert np.isclose(bb.grad(f)(2.0), 24 * 2.0**3)  # f = 6 x⁴


def test_a_captured_variable_keeps_its_derivative_through_an_inner_one():
    w = Variable(np.array(3.0))
    g = bb.grad(lambda x: w * x**2)(2.0)
    g.backward()
    assert g.data == 12 and w.grad.data == 4


def test_backward_inside_a_differentiated_function_is_refused():
    w = Variable(np.array(1.0))

    def f(x):
        (x * w).backward()
        return x

    with pytest.raises(RuntimeError, match=r"bibun\.grad"):
        bb.grad(f)(2.0)
    with pytest.raises(RuntimeError, match=r"bibun\.grad"):
        bb.grad(f)(Variable(np.array(2.0)))


class TestChangedInPlace:
    @pytest.mark.parametrize("n", [3, 5000])
    def test_an_operand_changed_after_recording_is_harmless_or_found(self, n):
        x, a = Variable(np.ones(n)), np.full(n, 2.0)
        y = np.sum(x * a * x)
        a[:] = 7.0
        try:
            y.backward()
        except bb.ChangedInPlace as e:
            assert "changed in place" in str(e) and str((n,)) in str(e)
            assert n > 1024
        else:
            np.testing.assert_array_equal(x.grad.data, 4.0)

    @pytest.mark.parametrize("n", [3, 5000])
    def test_a_leafs_array(self, n):
        data = np.ones(n)
        x = Variable(data)
        y = np.sum(x * x)
        data[:] = 5.0
        try:
            y.backward()
        except bb.ChangedInPlace:
            assert n > 1024
        else:
            np.testing.assert_array_equal(x.grad.data, 2.0)

    @pytest.mark.parametrize("n", [3, 5000])
    def test_a_view_of_a_leaf(self, n):
        data = np.ones(n)
        x = Variable(data)
        v = x[1:]
        y = np.sum(v * v)
        data[:] = 5.0
        try:
            y.backward()
        except bb.ChangedInPlace:
            assert n > 1024
        else:
            np.testing.assert_array_equal(x.grad.data, np.r_[0.0, np.full(n - 1, 2.0)])

    def test_a_buffer_refilled_in_a_training_loop(self):
        w, buffer = Variable(np.ones(2)), np.empty((5000, 2))
        losses = []
        for k in range(2):
            buffer[:] = k + 1.0
            losses.append(np.sum((buffer @ w) ** 2))
        with pytest.raises(bb.ChangedInPlace):
            losses[0].backward()
        losses[1].backward()

    def test_interior_data_is_read_only(self):
        y = Variable(np.ones(3)) * 2
        with pytest.raises(ValueError, match="read-only"):
            y.data[0] = 5.0
        with pytest.raises(ValueError, match="read-only"):
            np.sum(y).data[()] = 5.0

    def test_a_leaf_given_new_data_starts_anew(self):
        w = Variable(np.array(2.0))
        y = w * w
        w.data = np.array(10.0)
        z = w * w
        z.backward()
        assert w.grad.data == 20
        with pytest.raises(RuntimeError, match="record"):
            y.backward(create_graph=True)

    def test_a_users_function_whose_input_got_new_data(self):
        x = Variable(np.array(1.0))
        y = Square()(x)
        x.data = np.array(5.0)
        with pytest.raises(RuntimeError, match="new data"):
            y.backward()

    def test_a_users_function_is_watched_too(self):
        data = np.ones(5000)
        x = Variable(data)
        y = np.sum(Square()(x))
        data[:] = 3.0
        with pytest.raises(bb.ChangedInPlace):
            y.backward()


def test_unchain_makes_a_leaf():
    x = Variable(np.array(2.0))
    h = x * x
    h.unchain()
    (h * 3).backward()
    assert x.grad is None and h.grad.data == 3 and h.creator is None


def test_unchain_backward_cuts_history():
    x = Variable(np.array(2.0))
    h = x * x
    y = h * 3
    y.unchain_backward()
    y.backward()
    assert x.grad is None and h.grad.data == 3
    assert h.creator is None
