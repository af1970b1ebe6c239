"""The permutohedral lattice and the fast mean field: against a slow reading, exact kernels and pydensecrf."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
import torch
from PIL import Image

from deeplab_lessons import crf, runtime
from deeplab_lessons.crf import fast, permutohedral, reference, tables
from deeplab_lessons.crf.fast import fast_mean_field
from deeplab_lessons.crf.lattice_filter import LatticeFilter
from deeplab_lessons.crf.permutohedral import Lattice

needs_pydensecrf = pytest.mark.skipif(not reference.available(), reason="pydensecrf is not installed")
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SETTINGS = {
    "smooth": crf.Parameters(10, 80, 13, 3, 3),
    "v2_resnet101": crf.PRESETS["v2_resnet101"],
    "wide": crf.Parameters(4, 121, 5, 3, 3),
    "v1_caffe": crf.PRESETS["v1_caffe"],
}


def randoms(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def blobs(height, width, seed=0):
    """A picture uint8 [3, H, W] of a few soft and hard patches with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    picture = np.zeros((3, height, width)) + rng.uniform(0, 255, (3, 1, 1))
    for _ in range(5):
        cy, cx, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(5, 20)
        inside = np.clip(r - np.hypot(y - cy, x - cx), 0, 3) / 3
        picture += inside * (rng.uniform(0, 255, (3, 1, 1)) - picture)
    return torch.from_numpy(np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8))


def unaries(classes, pixels, seed=0, spread=2.0, dtype=torch.float32):
    return spread * randoms(classes, pixels, seed=seed, dtype=dtype)


def readable_mean_field(unary, picture, p, compatibility=None):
    """Mean field on the readable lattice, every step spelt out."""
    colour = crf.bilateral_features(picture.to(unary), p.sigma_alpha, p.sigma_beta)
    place = crf.spatial_features(tuple(picture.shape[1:]), p.sigma_gamma, dtype=unary.dtype)
    kernels = []
    for weight, features in ((p.w1, colour), (p.w2, place)):
        lattice = Lattice(features)
        norm = (lattice.filter(torch.ones_like(features[:1])) + 1e-20).rsqrt()
        kernels.append((weight, lattice, norm))
    q = torch.softmax(-unary, 0)
    for _ in range(p.iterations):
        heard = sum(weight * norm * lattice.filter(norm * q) for weight, lattice, norm in kernels)
        q = torch.softmax(-unary + (heard if compatibility is None else -compatibility @ heard), 0)
    return q


# --- the algorithm, read slowly -------------------------------------------------------------------------


def slow_filter(points, values, reverse=False):
    """Splat, blur and slice with dictionaries, one point at a time; points and values are lists of lists."""
    d = len(points[0])
    table, corners = defaultdict(float), []
    for point, value in zip(points, values, strict=True):
        corners.append(slow_corners(point))
        for vertex, weight in corners[-1].items():
            table[vertex] += weight * value
    for j in sorted(range(d + 1), reverse=reverse):
        step = [1] * (d + 1)
        step[j] = -d
        up = {v: tuple(a + s for a, s in zip(v, step, strict=True)) for v in table}
        down = {v: tuple(a - s for a, s in zip(v, step, strict=True)) for v in table}
        table = {v: table[v] + (table.get(up[v], 0.0) + table.get(down[v], 0.0)) / 2 for v in table}
    return [sum(w * table[v] for v, w in each.items()) / (1 + 2**-d) for each in corners]


def slow_corners(point):
    """The vertices of the simplex around a point and its weights, from the definition of the lattice.

    A lattice point has d+1 whole coordinates that sum to 0 and leave one common rest k when divided by d+1.
    The simplex is found by sorting what each coordinate has over the multiple of d+1 below it.
    """
    axes = len(point) + 1
    scaled = [x * math.sqrt(2 / 3) * axes / math.sqrt((i + 1) * (i + 2)) for i, x in enumerate(point)]
    place = [sum(scaled[i:]) - (i * scaled[i - 1] if i else 0) for i in range(axes)]
    below = [axes * math.floor(x / axes) for x in place]
    over = [x - b for x, b in zip(place, below, strict=True)]
    missing = -sum(below) // axes  # this many axes, those with most over, belong one multiple higher
    for axis in sorted(range(axes), key=lambda i: -over[i])[:missing]:
        below[axis], over[axis] = below[axis] + axes, over[axis] - axes
    order = sorted(range(axes), key=lambda i: -over[i])
    weights, vertex = {}, list(below)
    for k in range(axes):  # from the vertex of rest k to the next: one up everywhere, the lowest axis d down
        step = over[order[-k]] - over[order[-k - 1]] if k else over[order[-1]] - over[order[0]] + axes
        weights[tuple(vertex)] = abs(step) / axes
        lowest = order[-k - 1]
        vertex = [v + 1 - (axes if i == lowest else 0) for i, v in enumerate(vertex)]
    return weights


@pytest.mark.parametrize("d", range(1, 7))
@pytest.mark.parametrize("transpose", [False, True])
def test_slow_reading_readable_lattice_and_tables_agree(d, transpose):
    features, values = 1.5 * randoms(d, 40, seed=d), randoms(1, 40, seed=d + 50)
    slow = torch.tensor(slow_filter(features.T.tolist(), values[0].tolist(), transpose), dtype=torch.float64)
    readable = Lattice(features).filter(values, transpose)[0]
    written = tables.write_tables(features).filter(values.T.contiguous(), transpose)[:, 0]
    assert torch.allclose(readable, slow, atol=1e-12)
    assert torch.allclose(written, slow, atol=1e-12)


@pytest.mark.parametrize("d", range(1, 7))
def test_corners_surround_the_point(d):
    features = 3 * randoms(d, 50, seed=d)
    elevated = permutohedral.embed(features)
    lattice = Lattice(features)
    assert torch.allclose(elevated.sum(0), torch.zeros(50).double(), atol=1e-9)
    assert (lattice.weights > -1e-12).all() and torch.allclose(
        lattice.weights.sum(0), torch.ones(50).double()
    )
    corners = lattice.vertices[:, lattice.vertex].double()  # [d+1 coordinates, d+1 colours, N]
    assert torch.allclose((corners * lattice.weights).sum(1), elevated)
    assert torch.allclose((lattice.positions[:, lattice.vertex] * lattice.weights).sum(1), features)
    colours = corners % (d + 1)
    assert torch.equal(colours, torch.arange(d + 1).view(1, -1, 1).expand_as(colours).double())
    assert (corners.sum(0) == 0).all()


def test_it_is_a_gaussian_up_to_one_factor():
    """On a full grid in the plane, away from its edge, the kernel is close to exp(-r²/2) everywhere."""
    features = crf.spatial_features((81, 81), 6.0, dtype=torch.float64)
    middle = torch.zeros(1, 81 * 81, dtype=torch.float64)
    middle[0, 40 * 81 + 40] = 1
    got = Lattice(features).filter(middle)[0]
    squared = ((features - features[:, 40 * 81 + 40, None]) ** 2).sum(0)
    want = torch.exp(-squared / 2)
    factor = (got * want).sum() / (want * want).sum()
    assert (got - factor * want).abs().max() < 0.12 * factor
    assert (squared * got).sum() / got.sum() == pytest.approx(2, rel=0.1)  # variance 1 along each axis


def test_equal_parts_of_a_tie_go_to_the_first_axis():
    on_a_vertex = Lattice(torch.zeros(3, 1))
    assert on_a_vertex.weights[:, 0].tolist() == [1, 0, 0, 0]
    assert permutohedral.nearest_simplex(torch.zeros(4, 1))[1][:, 0].tolist() == [0, 1, 2, 3]


# --- as matrices, and with gradients --------------------------------------------------------------------


def dense(apply, points):
    return apply(torch.eye(points, dtype=torch.float64))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_transposed_filter_is_the_transposed_matrix(d):
    features = 1.5 * randoms(d, 30, seed=d)
    lattice, written = Lattice(features), tables.write_tables(features)
    forward = dense(lattice.filter, 30)
    assert torch.allclose(dense(lambda v: lattice.filter(v, transpose=True), 30), forward.T, atol=1e-12)
    columns = written.filter(
        torch.eye(30, dtype=torch.float64), transpose=True
    )  # works on [N, C], not [C, N]
    assert torch.allclose(columns, forward, atol=1e-12)
    if d > 1:  # with missing vertices the order of the blur matters, so this is worth something
        assert not torch.allclose(forward, forward.T, atol=1e-6)


@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_gradients_to_the_values(normalisation):
    smooth = LatticeFilter(randoms(3, 12), normalisation)
    values = randoms(2, 12, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(smooth, values)
    assert torch.autograd.gradgradcheck(smooth, values)


@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_gradients_to_the_features(normalisation):
    features, values = randoms(3, 9).requires_grad_(), randoms(2, 9, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda f, v: LatticeFilter(f, normalisation)(v), (features, values))
    plain = LatticeFilter(features.detach(), normalisation)(values)
    assert torch.allclose(LatticeFilter(features, normalisation)(values), plain)


def test_normalisations_are_what_they_say():
    features, values = randoms(2, 60), randoms(3, 60, seed=1)
    matrix = dense(Lattice(features).filter, 60).T  # filter works on rows: values @ matrix.T
    sums = matrix.sum(1)
    wanted = {
        "none": matrix,
        "row": matrix / sums[:, None],
        "symmetric": matrix / (sums[:, None] * sums).sqrt(),
    }
    for name, each in wanted.items():
        assert torch.allclose(LatticeFilter(features, name)(values), values @ each.T), name
    with pytest.raises(ValueError, match="symmetric, row, none"):
        LatticeFilter(features, "columns")


def test_unrolled_mean_field_learns_through_the_lattice():
    """Two updates in double: gradients of unary, weights and compatibility pass gradcheck."""
    picture = blobs(4, 5).double()
    filters = [
        LatticeFilter(crf.bilateral_features(picture, 3, 40)),
        LatticeFilter(crf.spatial_features((4, 5), 2).double()),
    ]

    def marginals(unary, weights, mu):
        return crf.mean_field(unary, list(zip(weights, filters, strict=True)), mu, iterations=2)

    unary = randoms(3, 4, 5).requires_grad_()
    weights = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
    mu = crf.potts(3).double().requires_grad_()
    assert torch.autograd.gradcheck(marginals, (unary, weights, mu))


# --- pydensecrf -----------------------------------------------------------------------------------------


def agree(got, want, labels=0.99999, largest=1e-4, mean=2e-7):
    apart = (got.double() - want.double()).abs()
    same = (got.argmax(0) == want.argmax(0)).double().mean()
    assert apart.max() <= largest and apart.mean() <= mean and same >= labels, (
        f"max {apart.max():.1e}, mean {apart.mean():.1e}, labels {same:.6f}"
    )


def theirs(unary, picture, setting, compatibility=None):
    return reference.pydensecrf_mean_field(
        unary.view(len(unary), *picture.shape[1:]), picture, setting, compatibility
    ).flatten(1)


@needs_pydensecrf
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("spread", [0.5, 4.0])
def test_same_as_pydensecrf(name, spread):
    for seed in range(3):
        picture, unary = blobs(44, 60, seed), unaries(5, 44 * 60, seed, spread)
        want = theirs(unary, picture, SETTINGS[name])
        agree(fast_mean_field(unary, picture, SETTINGS[name]), want)
        agree(readable_mean_field(unary, picture, SETTINGS[name]), want)


@needs_pydensecrf
@pytest.mark.parametrize("name", ["smooth", "v2_resnet101"])
def test_same_as_pydensecrf_with_a_compatibility_matrix(name):
    mu = torch.rand(5, 5, generator=torch.Generator().manual_seed(3))
    mu = (mu + mu.T) / 2  # pydensecrf would do it
    picture, unary = blobs(44, 60), unaries(5, 44 * 60)
    want = theirs(unary, picture, SETTINGS[name], mu)
    agree(fast_mean_field(unary, picture, SETTINGS[name], mu), want)
    agree(readable_mean_field(unary, picture, SETTINGS[name], mu), want)


@needs_pydensecrf
def test_where_the_pixels_are_not_a_multiple_of_four():
    """pydensecrf then adds 1 to 3 points of zero features; with them the answers are the same again.

    It takes points four at a time and lays the empty places of the last four on the lattice too: black
    pixels in the top left corner. They have no value, but the vertices they add let the blur pass.
    """
    setting, (height, width) = SETTINGS["v1_caffe"], (45, 61)
    picture, unary = blobs(height, width, 2), unaries(4, height * width, spread=0.5)
    picture[:, :9, :9] //= 9
    colour = crf.bilateral_features(picture, setting.sigma_alpha, setting.sigma_beta)
    place = crf.spatial_features((height, width), setting.sigma_gamma)
    extra = -colour.shape[1] % 4
    assert extra

    def filtered(features, weight):
        lattice = Lattice(torch.nn.functional.pad(features, (0, extra)))

        def apply(values):
            return lattice.filter(torch.nn.functional.pad(values, (0, extra)))[:, :-extra]

        norm = (apply(torch.ones_like(features[:1])) + 1e-20).rsqrt()
        return lambda q: weight * norm * apply(norm * q)

    kernels, q = [filtered(colour, setting.w1), filtered(place, setting.w2)], torch.softmax(-unary, 0)
    for _ in range(setting.iterations):
        q = torch.softmax(-unary + sum(kernel(q) for kernel in kernels), 0)
    agree(q, theirs(unary, picture, setting))


def real_pictures(at_least=20):
    """Photographs uint8 [3, h, w] from the data folder, small, w and h multiples of 4; else none."""
    folder = runtime.data_dir()
    files = sorted(folder.glob("densecrf-examples/im*.png"))
    files += sorted(folder.glob("voc2012-mini/VOCdevkit/VOC2012/JPEGImages/*.jpg"))[:at_least]
    for file in files:
        image = Image.open(file).convert("RGB")
        size = [max(4, 4 * round(side * 140 / max(image.size) / 4)) for side in image.size]
        yield torch.from_numpy(np.array(image.resize(size, Image.Resampling.BILINEAR))).permute(2, 0, 1)


@needs_pydensecrf
@pytest.mark.slow
def test_same_as_pydensecrf_on_real_pictures():
    pictures = list(real_pictures())
    if len(pictures) < 20:
        pytest.skip("fewer than 20 real pictures in the data folder")
    for number, (picture, name) in enumerate(zip(pictures, itertools.cycle(SETTINGS))):
        unary = unaries(21, picture[0].numel(), seed=number, spread=1.0)
        agree(fast_mean_field(unary, picture, SETTINGS[name]), theirs(unary, picture, SETTINGS[name]))


# --- the fast way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("matrix", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_fast_is_readable(device, dtype, matrix, name):
    picture, unary = blobs(37, 70), unaries(4, 37 * 70, dtype=dtype)
    mu = randoms(4, 4, seed=9, dtype=dtype) if matrix else None  # not symmetric: rows and columns matter
    got = fast_mean_field(*(x if x is None else x.to(device) for x in (unary, picture)), SETTINGS[name],
                          None if mu is None else mu.to(device))  # fmt: skip
    assert got.shape == unary.shape and got.dtype == dtype and got.is_contiguous()
    tolerance = {torch.float32: 1e-4, torch.float64: 1e-10}[dtype]
    assert (got.cpu() - readable_mean_field(unary, picture, SETTINGS[name], mu)).abs().max() < tolerance


@pytest.mark.parametrize("w1, w2", [(0, 3), (4, 0), (0, 0), (100, 50)])
def test_kernels_left_out_and_kernels_far_too_strong(w1, w2):
    setting = crf.Parameters(w1, 30, 10, w2, 2, iterations=4)
    picture, unary = blobs(20, 24), unaries(3, 480, dtype=torch.float64)
    want = readable_mean_field(unary, picture, setting)
    assert (fast_mean_field(unary, picture, setting) - want).abs().max() < 1e-9
    assert (fast_mean_field(unary.float(), picture, setting) - want).abs().max() < 1e-3


@pytest.mark.parametrize("spread", [30.0, 1e4])
def test_very_sure_unaries(spread):
    picture, unary = blobs(20, 24), unaries(3, 480, spread=spread, dtype=torch.float64)
    want = readable_mean_field(unary, picture, SETTINGS["smooth"])
    got = fast_mean_field(unary, picture, SETTINGS["smooth"])
    assert (got - want).abs().max() < 1e-9
    single = fast_mean_field(unary.float(), picture, SETTINGS["smooth"])
    assert torch.allclose(single.sum(0), torch.ones(480)) and (single.double() - want).abs().max() < 1e-3


def test_no_iterations_is_the_softmax_and_the_argument_wins():
    picture, unary = blobs(20, 24), unaries(3, 480)
    assert torch.allclose(
        fast_mean_field(unary, picture, SETTINGS["wide"], iterations=0), (-unary).softmax(0)
    )
    short = crf.Parameters(4, 121, 5, 3, 3, iterations=2)
    assert torch.equal(
        fast_mean_field(unary, picture, SETTINGS["wide"], iterations=2),
        fast_mean_field(unary, picture, short),
    )


def test_batches_views_and_what_is_left_alone():
    pictures = torch.stack([blobs(20, 24, 0), blobs(20, 24, 1)])
    unary = torch.stack([unaries(3, 480, 0), unaries(3, 480, 1)])
    before = unary.clone()
    one_by_one = [fast_mean_field(u, p, SETTINGS["wide"]) for u, p in zip(unary, pictures, strict=True)]
    assert torch.equal(fast_mean_field(unary, pictures, SETTINGS["wide"]), torch.stack(one_by_one))
    views = unary[0].T.contiguous().T, pictures[0].permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert not any(view.is_contiguous() for view in views)
    assert torch.equal(fast_mean_field(*views, SETTINGS["wide"]), one_by_one[0])
    assert torch.equal(LatticeFilter(views[0].T[:, :2].T)(views[0]), LatticeFilter(unary[0][:2])(unary[0]))
    assert torch.equal(unary, before)
    assert not fast_mean_field(unary[0].requires_grad_(), pictures[0], SETTINGS["wide"]).requires_grad


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (33, 65)])
def test_pictures_of_odd_sizes_and_of_one_colour(size):
    pixels = size[0] * size[1]
    picture, unary = torch.full((3, *size), 128), unaries(3, pixels, dtype=torch.float64)
    for setting in SETTINGS.values():
        got = fast_mean_field(unary, picture, setting)
        assert (got - readable_mean_field(unary, picture, setting)).abs().max() < 1e-9


def test_large_tables_are_done_in_pieces(monkeypatch):
    features, values = 2 * randoms(3, 90), randoms(90, 4, seed=1)
    want = [tables.write_tables(features).filter(values, transpose) for transpose in (False, True)]
    monkeypatch.setattr(tables, "_FRESH", 0)
    monkeypatch.setattr(tables, "_PIECE", 7)
    got = [tables.write_tables(features).filter(values, transpose) for transpose in (False, True)]
    assert all(torch.equal(g, w) for g, w in zip(got, want, strict=True))


def test_spatial_lattices_kept_are_few():
    fast._spatial_tables.cache_clear()
    for width in range(10, 20):
        fast_mean_field(unaries(2, 8 * width), blobs(8, width), SETTINGS["wide"], iterations=1)
    kept = fast._spatial_tables.cache_info()
    assert kept.currsize == kept.maxsize <= 8
    fast_mean_field(unaries(2, 8 * 19), blobs(8, 19, 5), SETTINGS["wide"], iterations=1)
    assert fast._spatial_tables.cache_info().hits == kept.hits + 1


# --- features that go far -------------------------------------------------------------------------------


def test_codes_that_would_overflow_take_the_slow_way(monkeypatch):
    taken = []
    slowly = tables._number_slowly
    monkeypatch.setattr(tables, "_number_slowly", lambda f: taken.append(1) or slowly(f))
    for d, reach in ((5, 3e6), (5, 1.0), (14, 30.0)):
        features, values = reach * randoms(d, 60, seed=d), randoms(60, 2, seed=1)
        features[:, 30:] = features[:, :30] + 0.3 * randoms(d, 30, seed=2)  # so that some share vertices
        want = Lattice(features).filter(values.T).T
        assert torch.allclose(tables.write_tables(features).filter(values), want, atol=1e-10)
    assert len(taken) == 2  # all but the middle one


def test_vertices_with_one_code_are_told_apart():
    origin, rank = permutohedral.nearest_simplex(permutohedral.embed(3 * randoms(4, 50)))
    corners = permutohedral.simplex_vertices(origin, rank)
    vertices, number, base = permutohedral.number_vertices(corners, base=0)
    assert base > 0 and torch.equal(vertices[:, number].transpose(0, 1), corners)
    assert len(torch.unique(vertices, dim=1).T) == len(vertices.T)


@pytest.mark.parametrize("wrong", [1e9, math.inf, math.nan])
def test_features_out_of_reach_are_refused(wrong):
    features = torch.randn(3, 10)
    features[1, 4] = wrong
    for build in (Lattice, tables.write_tables, LatticeFilter):
        with pytest.raises(ValueError, match="σ near 0"):
            build(features)


def test_shapes_are_refused_in_words():
    with pytest.raises(ValueError, match=r"expected float \[d, N\]"):
        Lattice(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match=r"expected float \[d, N\]"):
        Lattice(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="N = 5"):
        Lattice(randoms(2, 5)).filter(torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"\[C, 5\]"):
        LatticeFilter(randoms(2, 5))(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="make them alike"):
        LatticeFilter(randoms(2, 5))(torch.zeros(3, 5))
