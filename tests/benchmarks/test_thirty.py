"""The benchmark of thirty tables: what it computes, and the page that is made of its files."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from paths import ROOT
from sklearn.metrics import log_loss

PAGE = ROOT / "docs" / "tables.md"


def fold(loss, **more):
    return {"loss": loss, "score": 0.9, "confidence": [[1.0, 0.5, 1.0]] * 15} | more


@pytest.fixture
def results(benchmarks, tmp_path):
    """The results of systems on tables of 100 classes rows, given the loss of each."""
    from field.page import Field
    from field.results import Facts, Kept
    from field.tables import Problem

    def results(losses, n_folds=5):
        for system, of_tables in losses.items():
            kept = Kept(system, tmp_path)
            for name, loss in of_tables.items():
                X = pd.DataFrame(np.zeros((100, 3)))
                Facts(tmp_path).add(name, Problem(X, np.array(["a", "b"] * 50), False))
                kept.folds[name] = [fold(loss)] * n_folds
                kept.seconds[name] = {"fit": 10 * loss, "processor": "any"}
            kept.save()
        return Field(tmp_path)

    return results


def lines_of(table, first):
    return [line.split(" | ") for line in table.splitlines() if line.startswith(f"| {first}")]


def test_the_page_shows_what_the_files_beside_it_hold(benchmarks):
    from field.page import Field, parts
    from marked import renewed

    text = PAGE.read_text("utf-8")
    assert renewed(text, parts(Field())) == text


def test_two_thirds_of_thirty_tables_are_there_to_choose_on(benchmarks):
    from field.tables import BUNDLED, FILES, KEPT_APART, UCI

    assert len(KEPT_APART) == 10
    assert not {*KEPT_APART} & {*FILES, *BUNDLED, "breast-cancer-wdbc"}
    assert len(FILES) + len(BUNDLED) + len(UCI) + 18 == 30


@pytest.mark.parametrize(("k", "quantile"), [(2, 1.960), (5, 2.728), (7, 2.949), (10, 3.164)])
def test_critical_differences_are_those_of_the_published_table(benchmarks, k, quantile):
    from field.ranks import critical_difference

    found = critical_difference(k, 30)
    assert found == pytest.approx(quantile * np.sqrt(k * (k + 1) / (6 * 30)), rel=1e-3)


def test_equal_losses_share_a_rank_and_are_half_a_win(benchmarks):
    from field.ranks import mean_ranks, wins

    losses = {"a": [1.0, 2.0], "b": [1.0, 1.0], "c": [3.0, 4.0]}
    assert mean_ranks(losses) == {"a": 1.75, "b": 1.25, "c": 3.0}
    assert wins(losses["a"], losses["b"]) == 0.5


def test_the_calibration_error_of_all_folds_is_that_of_their_rows_together(benchmarks, rng):
    from field.figures import calibration_error, reliability

    confidence = rng.uniform(0.3, 1, 200)
    right = rng.random(200) < confidence**2
    parts = [reliability(confidence[i::4], right[i::4]) for i in range(4)]
    edges = np.linspace(0, 1, 16)
    expected = 0.0
    for low, high in itertools.pairwise(edges):
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert calibration_error([{"confidence": part} for part in parts]) == pytest.approx(expected)


class Known:
    """A model of given probabilities, or of given ends of intervals."""

    classes_ = np.array(["no", "yes"])

    def __init__(self, p=None, quantiles=None):
        self._p, self._quantiles, self.calibration_ = p, quantiles, None

    def predict_proba(self, X):
        return self._p

    def predict(self, X):
        return np.zeros(len(X))

    def predict_quantiles(self, X, levels, progress):
        self.levels = levels
        return np.tile(self._quantiles, (len(X), 1))


def test_losses_and_scores_of_classes_are_scikit_learns(benchmarks, rng):
    from field.figures import figures
    from field.tables import Problem

    p = rng.dirichlet([1, 1], 50)
    y = np.where(rng.random(50) < 0.5, "yes", "no")
    rows = np.arange(10, 40)
    model = Known(p[rows])
    found = figures(Problem(pd.DataFrame({"x": np.zeros(50)}), y, False), model, rows)
    assert found["loss"] == pytest.approx(log_loss(y[rows], p[rows]))
    assert found["score"] == np.mean(model.classes_[p[rows].argmax(axis=1)] == y[rows])


def test_an_interval_costs_its_width_and_what_it_misses(benchmarks):
    from field.figures import intervals

    y = np.array([0.0, 1.5, -4.0])
    model = Known(quantiles=[-1.0, -2.0, -3.0, 1.0, 2.0, 3.0])
    found = intervals(model, pd.DataFrame(index=range(3)), y)
    assert model.levels == pytest.approx((0.25, 0.1, 0.05, 0.75, 0.9, 0.95))
    assert found["held"] == [1, 2, 2]
    misses = [(0.5 + 3) / 0.25, 2 / 0.1, 1 / 0.05]
    widths = [2, 4, 6]
    assert found["interval_score"] == pytest.approx(
        np.mean([w + m / 3 for w, m in zip(widths, misses, strict=True)])
    )
    assert found["uncalibrated"] == found["interval_score"]


def test_ranks_wins_and_seconds_stand_for_each_system(results):
    from field import page

    field = results(
        {
            "thinnet": {"iris": 0.1, "sonar": 0.3},
            "LightGBM": {"iris": 0.2, "sonar": 0.2},
            "CatBoost": {"iris": 0.3, "sonar": 0.4},
        }
    )
    ((_, *ours),) = lines_of(page.standing(field), "thinnet")
    assert ours[:3] == ["1.50", "2.00", ""]
    ((_, *theirs),) = lines_of(page.standing(field), "CatBoost")
    assert theirs[:3] == ["3.00", "3.00", "2 of 2"]
    assert theirs[-1] == "4.0 |"
    ((_, *differences),) = lines_of(page.standing(field), "critical difference")
    assert float(differences[0]) < float(differences[1])


def test_the_best_loss_is_bold_and_tables_kept_apart_are_marked(results):
    from field import page

    table = page.by_table(
        results({"thinnet": {"sonar": 0.3}, "LightGBM": {"sonar": 0.2}}), "loss", 2
    )
    assert lines_of(table, "sonar") == [["| sonar\\* (100 x 3, 2 classes)", "0.30", "**0.20** |"]]


def test_a_system_that_was_not_measured_on_all_tables_has_wins_and_no_rank(results):
    from field import page

    field = results({"thinnet": {"iris": 0.1, "sonar": 0.3}, "TabM-D": {"iris": 0.2}})
    assert field.ranked == ["thinnet"]
    ((_, *theirs),) = lines_of(page.standing(field), "TabM-D")
    assert theirs[:3] == ["-", "-", "1 of 1"]


def test_a_table_of_which_a_fold_is_missing_does_not_count(results):
    assert results({"thinnet": {"iris": 0.1}}).ranked == ["thinnet"]
    assert results({"thinnet": {"iris": 0.1}}, n_folds=4).measured == []


def test_results_are_kept_and_read_again(benchmarks, results, tmp_path):
    from field.results import Kept

    results({"scikit-learn's MLP": {"iris": 0.1}})
    assert json.loads((tmp_path / "scikit-learn-s-mlp.json").read_text())["folds"]["iris"]
    assert Kept("scikit-learn's MLP", tmp_path).mean("iris", "loss") == pytest.approx(0.1)


def test_rivals_get_dates_as_days_and_no_names_of_rows(benchmarks):
    from field.systems import Columns

    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "day": pd.to_datetime(["1970-01-03", "1970-01-02", None, "1970-01-01"]),
            "kind": ["x", "x", None, "y"],
        }
    )
    learned = Columns(table, most=1, complete=True)
    found = learned(table.assign(kind=["x", "new", "y", None]))
    assert list(found) == ["c0", "c1"]
    assert found["c0"].tolist() == [2.0, 1.0, 1.0, 0.0]
    assert found["c1"].astype(object).fillna("none").tolist() == ["x", "none", "none", "none"]
