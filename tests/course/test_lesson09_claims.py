"""What lesson 09 says after its cells, on the same stored results."""

import json
from pathlib import Path

import numpy as np
import pytest

RESULTS = Path(__file__).resolve().parents[2] / "lessons" / "results"


def stored(name):
    return json.loads((RESULTS / f"{name}.json").read_text())["runs"]


@pytest.fixture(scope="module")
def runs():
    return stored("lesson09")


def gains(runs, name, part="by_size"):
    """More than a fixed field has, [seeds, sizes], seed by seed."""
    return np.array([run[part] for run in runs[name]]) - np.array([run[part] for run in runs["fixed field"]])


def test_aspp_s_gains_on_small_and_medium_signs_in_every_seed(runs):
    found = gains(runs, "ASPP-S")
    assert found[:, :2].min() > 0 and 3.5 < found[:, 0].mean() < 4.5 and found[:, 2].mean() < 1


def test_msc_with_statistics_of_its_own_is_ahead_by_three_two_and_one_points(runs):
    assert gains(runs, "MSC, own statistics").mean(0).round().tolist() == [3, 2, 1]
    spread = {name: gains(runs, name).std(0) for name in ("MSC", "MSC, own statistics")}
    assert spread["MSC, own statistics"].mean() < 0.6 * spread["MSC"].mean()


def test_the_mean_of_scales_does_harm_to_small_and_medium_signs_and_poles(runs):
    assert gains(runs, "MSC, mean")[:, :2].max() < -3
    poles = {name: [run["iou"]["pole"] for run in runs[name]] for name in ("MSC, mean", "MSC")}
    assert max(poles["MSC, mean"]) < 0.6 * min(poles["MSC"])


def test_twice_the_size_suits_all_and_half_the_size_costs_a_third(runs):
    for name in ("fixed field", "MSC, own statistics", "ASPP-S", "ASPP-L"):
        half, own, twice = (
            np.array([run["shown_at"][side] for run in runs[name]]) for side in ("80", "161", "322")
        )
        assert (twice > own).all() and 0.3 < 1 - half.mean() / own.mean() < 0.4, name


def test_on_photos_dilation_3_gains_most_12_nothing_and_24_less_than_that():
    photos = {
        name: np.array([run["mean_iou"] for run in each]) for name, each in stored("lesson09_photos").items()
    }
    gained = {name: values - photos["kernel 1"] for name, values in photos.items()}
    single = {name: values.mean() for name, values in gained.items() if name.startswith("dilation")}
    assert max(single, key=single.get) == "dilation 3"
    assert gained["dilation 3"].mean().round(1) == 4.2 and gained["dilation 3"].min().round(1) == 2.7
    assert gained["dilation 12"].mean() < 0 and gained["dilation 24"].max() < 0
    assert (photos["sum of 1, 3, 6, 12"] > photos["dilation 3"]).sum() == 4
