"""What lesson 05 says of its stored runs by its rule: ahead is whose worst run is better than the other's best."""

import json
from itertools import permutations
from pathlib import Path
from statistics import mean

RESULTS = json.loads(
    (Path(__file__).resolve().parents[2] / "lessons" / "results" / "lesson05.json").read_text()
)


def ahead(networks, number=lambda run: run["mean_iou"]):
    """The pairs (one, other) of a comparison in which one is ahead."""
    found = {name: [number(run) for run in runs] for name, runs in networks.items()}
    return {(one, other) for one, other in permutations(found, 2) if min(found[one]) > max(found[other])}


def gap(one, other):
    return mean(run["mean_iou"] for run in one) - mean(run["mean_iou"] for run in other)


def test_every_comparison_has_three_runs_of_the_same_seeds():
    for group in ("losses", "heads", "budgets", "weights"):
        for name, runs in RESULTS[group].items():
            assert [run["seed"] for run in runs] == [0, 1, 2], name


def test_upsampled_scores_teach_best_and_area_fractions_worst():
    losses = RESULTS["losses"]
    assert ahead(losses) == {("upsampled", "subsample"), ("upsampled", "area"), ("subsample", "area")}
    assert 3.5 < gap(losses["upsampled"], losses["subsample"]) < 4
    assert 4.5 < gap(losses["subsample"], losses["area"]) < 5.5


def test_the_small_field_is_ahead_of_largefov_twice_and_of_nothing_else():
    heads, again = RESULTS["heads"], RESULTS["weights"]["none"]
    assert ahead(heads) == {("small field", "LargeFOV")}
    assert ahead({"small field": heads["small field"], "again": again}) == {("small field", "again")}
    assert 1 < gap(heads["small field"], heads["LargeFOV"]) < 2
    classes = {name: ahead(heads, lambda run, name=name: run["iou"][name]) for name in heads["7x7"][0]["iou"]}
    for name in ("triangle", "wire"):
        assert ("small field", "LargeFOV") in classes[name]


def test_no_head_is_better_at_large_objects_and_one_of_twelve_comparisons_by_size_has_a_winner():
    sizes = [ahead(RESULTS["heads"], lambda run, n=n: run["found_by_size"][n]) for n in range(4)]
    assert sum(map(len, sizes)) == 1 and not sizes[-1]


def test_the_same_recipe_again_gives_runs_that_differ_by_up_to_a_point():
    pairs = zip(RESULTS["heads"]["LargeFOV"], RESULTS["weights"]["none"], strict=True)
    assert 0.5 < max(abs(one["mean_iou"] - other["mean_iou"]) for one, other in pairs) <= 1


def test_more_time_gains_and_class_weights_cost():
    budgets, weights = RESULTS["budgets"], RESULTS["weights"]
    assert ahead(budgets) == {("4 times as long", "as in the lesson")}
    assert 6 < gap(budgets["4 times as long"], budgets["as in the lesson"]) < 7
    assert ahead(weights) == {("none", "median frequency")}
    assert 18 < gap(weights["none"], weights["median frequency"]) < 22
