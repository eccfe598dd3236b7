"""Cox's model beside R's survival, every figure of it; and against other ways to the same numbers."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
CASES = {k: c for k, c in GOLDEN["cases"].items() if k.startswith("cox_")}


def data_of(name):
    d = GOLDEN["data"][name]
    columns = {k: np.array(v, object if k in d["levels"] else float) for k, v in d["columns"].items()}
    return columns, dict(d["levels"])


def fitted(name):
    c = CASES[name]
    d, levels = data_of(c["data"])
    left, right = c["formula"].split("~")
    if "ceiling" in left:
        d["time"] = np.ceil(d["time"])
        left = "Surv(time, event)"
    strata = re.search(r"\+ strata\((\w+)\)", right)
    options = {"strata": strata.group(1)} if strata else {}
    weights = re.search(r"weights = (\w+)", c["call"])
    if weights:
        options |= {"weights": weights.group(1), "weights_are": "sampling" if "robust" in c["call"] else "frequency"}
    right = re.sub(r"\+ strata\(\w+\)", "", right)
    return c, bb.cox(f"{left} ~ {right}", d, ties=c["ties"], levels=levels, **options), d


def near(found, right, rtol=1e-9):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * max(np.abs(right).max(), 1e-3))


@pytest.mark.parametrize("name", list(CASES))
def test_as_r(name):
    c, r, d = fitted(name)
    assert r.converged, r.certificate
    near(r.coef, c["coef"])
    near(r.cov_params("observed"), c["vcov"])
    near([r.loglik, r.null_loglik, r.aic], [c["loglik"], c["loglik_null"], c["aic"]])
    # R does not know what weights say
    many = r.objective.weights is not None and r.objective.weights_are == "frequency"
    events = d["w"][d["event"] == 1].sum() if many else c["events"]
    assert r.events == events
    near(r.bic, c["bic"] + len(r.coef) * np.log(events / c["events"]))
    zero = ", ".join(f"`{label}` = 0" for label in r.labels)
    near(r.test(zero, kind="score").statistic, c["tests"]["score"]["test"], 1e-8)
    near(r.test(zero, kind="lr").statistic, c["tests"]["lr"]["test"], 1e-8)
    if "profile" in c and name != "cox_offset":  # R's script left the offset out of that one's profile
        near(r.conf_int(method="profile"), c["profile"], 1e-7)
    robust = r
    if "cluster" in c["call"]:
        robust = r.with_cov("cluster", d["id"], ssc="none")
    if "vcov_robust" in c:
        near(robust.cov_params(), c["vcov_robust"])
    near(robust.conf_int(), c["confint_wald"])
    near(robust.test(zero).statistic, c["tests"]["wald_exact"])
    if "concordance" in c:
        C = robust.concordance()
        near(C.value, c["concordance"]["c"])
        near(C.se, c["concordance"]["se"], 1e-8)
    if "baseline" in c:
        parts = [r.baseline_hazard(s) for s in r.strata]
        near(np.concatenate([p["time"] for p in parts]), c["baseline"]["time"])
        found = np.concatenate([p["cumulative_hazard"] for p in parts])
        if name == "cox_offset":  # R's is at the mean offset, ours at 0
            found = found * np.exp(np.mean(0.5 * d["x2"]))
        near(found, c["baseline"]["cumulative_hazard"])
    for kind, value in c.get("residuals", {}).items():
        near(r.residuals(kind), value, 1e-8)
    if "proportional_hazards" in c:
        tests = r.test_proportional(c["proportional_hazards"]["transform"])
        near([t.statistic for t in tests], c["proportional_hazards"]["chisq"], 1e-7)
        near([t.p_value for t in tests], c["proportional_hazards"]["p"], 1e-7)
    if "predict" in c:
        new = {k: np.array(v) for k, v in GOLDEN["new_rows"][c["new"]].items() if k in ("x1", "x2", "g")}
        p = r.predict(new)
        near(np.log(p.value), c["predict"]["lp"])
        near(p.se / p.value, c["predict"]["lp_se"])
        s = r.survival(new, c["predict"]["times"])
        near(s.value, c["predict"]["survival"])
        near(s.se, c["predict"]["survival_se"], 1e-8)


def brute(beta, X, time, event, w=None, start=None, ties="efron"):
    """The log partial likelihood by its definition, a sum over risk sets."""
    n = len(time)
    w = np.ones(n) if w is None else w
    start = np.full(n, -np.inf) if start is None else start
    r, total = w * np.exp(X @ beta), 0.0
    for t in np.unique(time[event == 1]):
        dead, at_risk = (time == t) & (event == 1), (time >= t) & (start < t)
        d = dead.sum()
        total += np.sum((w * (X @ beta))[dead])
        for k in range(d):
            own = k / d * r[dead].sum() if ties == "efron" else 0.0
            total -= w[dead].mean() * np.log(r[at_risk].sum() - own)
    return total


def some(n=40, seed=3):
    rng = np.random.default_rng(seed)
    time = np.ceil(rng.exponential(6, n) * 2) / 2
    start = np.where(rng.random(n) < 0.5, time * rng.random(n), 0.0)
    event, w = (rng.random(n) < 0.7).astype(int), rng.integers(1, 4, n).astype(float)
    return {"time": time, "event": event, "start": start, "w": w, "x": rng.normal(size=n), "z": rng.normal(size=n)}


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_delayed_entry_and_weights_by_definition(ties):
    d = some()
    X = np.column_stack([d["x"], d["z"]])
    r = bb.cox("Surv(start, time, event) ~ x + z", d, weights="w", ties=ties)
    assert r.converged
    assert r.loglik == pytest.approx(brute(r.coef, X, d["time"], d["event"], d["w"], d["start"], ties), rel=1e-12)
    h, slope = 1e-5, []
    for k in range(2):
        there = [
            brute(r.coef + s * h * np.eye(2)[k], X, d["time"], d["event"], d["w"], d["start"], ties) for s in (1, -1)
        ]
        slope.append((there[0] - there[1]) / (2 * h))
    assert np.abs(slope).max() < 1e-7
    assert r.coef.tolist() == bb.cox("~ x + z", d, start="start", weights="w", ties=ties).coef.tolist()


def test_a_row_in_two_pieces_is_the_same_row():
    d = some()
    cut = 0.4 * d["time"]
    pieces = {k: np.concatenate([v, v]) for k, v in d.items()}
    pieces["start"] = np.concatenate([np.zeros(40), cut])
    pieces["time"] = np.concatenate([cut, d["time"]])
    pieces["event"] = np.concatenate([np.zeros(40), d["event"]])
    a = bb.cox("~ x + z", d)
    b = bb.cox("~ x + z", pieces, start="start")
    near(b.coef, a.coef)
    near(b.cov_params(), a.cov_params())
    i = np.tile(np.arange(40), 2)
    scores = b.residuals("score")
    near(scores[:40] + scores[40:], a.residuals("score"), 1e-8)
    near(b.cov_params("cluster", i, ssc="none"), a.cov_params("sandwich"), 1e-8)


def test_weights_are_rows_with_breslow():
    d = some()
    many = {k: np.repeat(v, d["w"].astype(int)) for k, v in d.items()}
    a, b = bb.cox("~ x + z", d, weights="w", ties="breslow"), bb.cox("~ x + z", many, ties="breslow")
    near(a.coef, b.coef)
    near(a.cov_params(), b.cov_params())
    near(a.cov_params("sandwich"), b.cov_params("sandwich"), 1e-8)
    assert a.nobs == b.nobs


def test_score_residuals_are_what_a_weight_does():
    d = some()
    r = bb.cox("~ x + z", d, weights="w")
    h = 1e-4
    for i in (0, 7, 23):
        moved = [bb.cox("~ x + z", d, weights=d["w"] + s * h * (np.arange(40) == i)).coef for s in (1, -1)]
        near(r.residuals("dfbeta")[i], (moved[0] - moved[1]) / (2 * h), 1e-6)


def test_exact_ties_are_conditional_logistic_regression():
    """All ways in which as many of a set could have had the event."""
    from itertools import combinations

    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(8), 5)
    d = {"one": np.ones(40), "y": (rng.random(40) < 0.4).astype(int), "x": rng.normal(size=40), "g": g}
    r = bb.cox("~ x", d, time="one", event="y", strata="g", ties="exact")
    total = 0.0
    for k in range(8):
        x, y = r.coef[0] * d["x"][g == k], d["y"][g == k]
        total += x @ y - np.log(sum(np.exp(x[list(c)].sum()) for c in combinations(range(5), int(y.sum()))))
    assert r.loglik == pytest.approx(total, rel=1e-12)
    with pytest.raises(NotDefined, match="efron"):
        r.cov_params("sandwich")
    with pytest.raises(NotDefined, match="efron"):
        r.residuals()
    with pytest.raises(NotDefined, match="efron"):
        bb.cox("~ x", d, time="one", event="y", ties="exact", weights="one")


def test_profiles_with_an_offset_are_roots_of_the_likelihood_ratio():
    _, r, _ = fitted("cox_offset")
    for end in r.conf_int(method="profile", parm="x1")[0]:
        assert r.test(f"x1 = {float(end)!r}", kind="lr").p_value == pytest.approx(0.05, rel=1e-6)


def test_units_and_places_do_not_matter():
    d = some()
    a = bb.cox("~ x + z", d)
    b = bb.cox("~ x + z", {**d, "x": 1e6 * d["x"] + 1e7, "z": 1e-6 * d["z"] - 3})
    near(b.coef * [1e6, 1e-6], a.coef, 1e-7)
    near(b.loglik, a.loglik, 1e-9)


def test_strata_far_apart_lose_no_digits():
    """A covariate that separates strata by hundreds is within each what it was."""
    d = some()
    g = np.arange(40) % 2
    a = bb.cox("~ x + z", {**d, "g": g}, strata="g")
    b = bb.cox("~ x + z", {**d, "g": g, "x": d["x"] + 1000.0 * g}, strata="g")
    near(b.coef, a.coef, 1e-8)


def test_predictors_very_far_apart():
    """Sums as logarithms have the same value and derivatives, and go on where exponentials underflow."""
    from bibun.models.cox import PartialLikelihood

    for options in ({}, {"weights": "w", "start": "start"}):
        r = bb.cox("~ x + z", some(), **options)
        u, data = r.coef + 0.3, r.objective.data
        near(PartialLikelihood(apart=True)(u, data), PartialLikelihood()(u, data), 1e-10)
        ways = [PartialLikelihood(apart=a) for a in (False, True)]
        both = [bb.hessian(lambda t, f=f: np.sum(f(t, data)))(u) for f in ways]
        near(both[1], both[0], 1e-8)
    d = {"time": np.arange(1.0, 6), "event": np.ones(5), "x": [-2000.0, 0, -700, 3, 1]}
    far = bb.cox("~ x", d).objective
    at = np.array([1.0])
    terms = [x - np.logaddexp.reduce(d["x"][k:]) for k, x in enumerate(d["x"])]
    layout = PartialLikelihood(apart=True)(at, far.data)
    near(layout, terms, 1e-12)


def test_what_is_not_identified_is_named():
    d = some()
    r = bb.cox("~ x + same", {**d, "same": np.ones(40) * 0.1})
    assert not r.converged and "same" in str(r.certificate)
    assert np.isnan(r.bse["same"]) and np.isfinite(r.bse["x"])
    order = bb.cox("~ early", {**d, "event": np.ones(40), "early": -d["time"]})
    assert not order.converged and "early runs to" in str(order.certificate)
    g = np.arange(40) % 2
    r = bb.cox("~ x + g", {**d, "g": g}, strata="g")
    assert "g" in str(r.certificate) and np.isnan(r.bse["g"])


def test_missing_values_are_counted_and_rows_keep_their_order():
    d = some()
    d["x"][3] = d["time"][5] = np.nan
    r = bb.cox("~ x + z", d)
    assert r.nobs == 38 and "2 of 40" in r.notes[0]
    assert r.residuals().shape == (38,)
    p = r.predict({"x": [np.nan, 1.0], "z": [0.0, 0.0]}).value
    assert np.isnan(p[0]) and p[1] == pytest.approx(np.exp(r.params["x"]))
    out = r.augment()
    assert set(out) >= {"x", "time", "martingale", "deviance", "relative_hazard"}


def test_survival():
    d = some()
    r = bb.cox("~ x + z", d, weights="w", weights_are="sampling")
    assert r.cov.kind == "sandwich"
    with pytest.raises(NotDefined, match="with_cov"):
        r.survival({"x": [0.0], "z": [0.0]})
    s = r.with_cov("observed").survival({"x": [0.0, 1.0], "z": [0.0, 0.0]})
    base = r.baseline_hazard()
    near(-np.log(s.value[:, 0]), base["cumulative_hazard"])
    near(s.hazard[:, 1], base["cumulative_hazard"] * np.exp(r.params["x"]))
    low, high = np.moveaxis(s.conf_int(), -1, 0)
    assert ((low >= 0) & (low <= s.value) & (s.value <= high) & (high <= 1)).all()


def test_martingale_residuals_sum_to_nothing_and_follow_from_hazards():
    d = some()
    r = bb.cox("~ x + z", d, ties="breslow")
    m = r.residuals("martingale")
    assert abs(m.sum()) < 1e-10
    base = r.baseline_hazard()
    H = base["cumulative_hazard"][np.searchsorted(base["time"], d["time"])]
    near(d["event"] - m, H * r.predict().value)
    near(r.residuals("cox-snell"), H * r.predict().value)
    assert r.residuals("scaled-schoenfeld").shape == r.residuals("schoenfeld").shape == (d["event"].sum(), 2)
    near(r.residuals("schoenfeld").sum(axis=0), [0, 0], 1e-8)


def test_refused_with_a_reason():
    d = some()
    with pytest.raises(ValueError, match="event is 2"):
        bb.cox("~ x", {**d, "event": d["event"] * 2})
    with pytest.raises(ValueError, match="no row has an event"):
        bb.cox("~ x", {**d, "event": np.zeros(40)})
    with pytest.raises(ValueError, match="before time"):
        bb.cox("~ x", {**d, "start": d["time"]}, start="start")
    with pytest.raises(ValueError, match="no covariates"):
        bb.cox("~ 1", d)
    with pytest.raises(ValueError, match="Surv"):
        bb.cox("time ~ x", d)
    with pytest.raises(ValueError, match="ties="):
        bb.cox("~ x", d, ties="other")
    r = bb.cox("~ x", d)
    for undefined in (
        lambda: r.fittedvalues,
        lambda: r.simulate(1),
        lambda: r.cov_params("expected"),
        lambda: r.deviance,
        lambda: r.loglik_rows(),
        lambda: r.bootstrap(10, 1),
        lambda: r.predict(interval="prediction"),
    ):
        with pytest.raises(NotDefined):
            undefined()
    assert "events" in str(r.summary()) and r.glance()["events"] == d["event"].sum()


def test_clusters_strata_and_restrictions():
    d = some()
    g = np.array(list("abcd") * 10)
    r = bb.cox("~ x + z", {**d, "g": g}, strata="g", cluster="g")
    assert r.cov.kind == "cluster" and r.strata == ["a", "b", "c", "d"]
    s = r.restricted("z = 0")
    near(s.coef[0], bb.cox("~ x", {**d, "g": g}, strata="g").coef[0])
    assert r.compare(s).lr.statistic == pytest.approx(r.test("z = 0", kind="lr").statistic)
    with pytest.raises(ValueError, match="stratum"):
        r.baseline_hazard()
    assert r.baseline_hazard("b")["time"].size
