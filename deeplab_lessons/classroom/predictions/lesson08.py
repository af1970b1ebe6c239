"""Predictions of lesson 08: what a CRF learns, what its filter is like, where its gradients go."""

import torch
from torch.nn import functional as F

from deeplab_lessons import crf, datasets
from deeplab_lessons.classroom import built_in, readable_lattice
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number

BY_HAND = crf.Parameters(w1=10, sigma_alpha=40, sigma_beta=5, w2=3, sigma_gamma=1)


def _scene() -> tuple[torch.Tensor, torch.Tensor]:
    """The lesson's scene: picture [3, 128, 128] and labels."""
    picture, labels = built_in.Embedded("val", 4).pair(3)
    return torch.tensor(picture).permute(2, 0, 1), torch.tensor(labels).long()


def _corner() -> tuple[list, torch.Tensor, torch.Tensor]:
    """Filters, unary energies and labels of 32 x 32 pixels of it; for a network, the labels with a seventh wrong."""
    picture, labels = (each[..., 32:64, 32:64] for each in _scene())
    kept = labels.clamp(max=5)
    numbers = torch.Generator().manual_seed(0)
    wrong = torch.rand(kept.shape, generator=numbers) < 1 / 7
    said = torch.where(wrong, torch.randint(0, 6, kept.shape, generator=numbers), kept)
    theta = crf.unary_from_logits(3.0 * F.one_hot(said, 6).permute(2, 0, 1)).flatten(1)
    return crf.DenseCRF(BY_HAND).filters(picture), theta, labels.flatten()


@number(
    "How many numbers does a CRF with 6 classes learn: one weight for each of two kernels, and all compatibilities?",
    unit="numbers",
    slips={
        6 * 6: "You counted the compatibilities. The weights of the two kernels are learned too.",
        2 * 6
        + 6 * 6: "You gave each class a weight for each kernel, as CRF-as-RNN does. A kernel here has one.",
        2
        + 6
        * 5
        // 2: "You counted each pair of different classes once. The layer keeps the whole matrix, 6 × 6.",
        2 + 6: "You gave each class one compatibility. Each pair of classes has one.",
        5: "You counted the parameters of lesson 07. The widths stay as they are, and the compatibilities join in.",
    },
)
def numbers_to_learn():
    layer = crf.DenseCRF(BY_HAND, num_classes=6, trainable=("weights", "compatibility"))
    return sum(parameter.numel() for parameter in layer.parameters())


@choice(
    "In which of ten updates do most pixels change their label?",
    ("the first", "the fifth", "the last"),
    slips={
        "the fifth": "Neighbours agree soon: each update leaves less to correct than the one before it.",
        "the last": "Mean field settles: after some updates barely any pixel moves.",
    },
)
def busiest_update():
    filters, theta, _ = _corner()
    labels = []
    crf.mean_field(theta, filters, iterations=10, watch=lambda i, q: labels.append(q.argmax(0)))
    changed = [int((labels[i] != labels[i - 1]).sum()) for i in range(1, 11)]
    update = 1 + changed.index(max(changed))
    return Answer({1: "the first", 5: "the fifth", 10: "the last"}[update], f"most in update {update}")


@choice(
    "The exact kernel is symmetric, k(i, j) = k(j, i), but is the matrix of the lattice symmetric too?",
    ("symmetric", "not symmetric"),
    slips={
        "symmetric": "Each single blur is symmetric, but they follow one another. Where neighbours are missing, "
        "their order matters.",
    },
)
def matrix_of_the_lattice():
    picture, _ = _scene()
    features = crf.bilateral_features(
        picture[:, 40:50, 40:52].double(), BY_HAND.sigma_alpha, BY_HAND.sigma_beta
    )
    matrix = readable_lattice.Lattice(features).filter(torch.eye(120, dtype=torch.float64)).T
    largest = (matrix - matrix.T).abs().max().item()
    return Answer("symmetric" if largest < 1e-9 else "not symmetric", f"{largest:.3f}")


@choice(
    "If every label costs 1 more next to a pole (1 added to that column of μ), what happens to q in an update?",
    ("poles become rarer", "poles become more common", "nothing"),
    slips={
        "poles become rarer": "Next to a pole, every label costs 1 more, and not only the pole. Softmax sees only "
        "differences.",
        "poles become more common": "The pole itself costs 1 more next to a pole too. All labels do, and softmax sees "
        "only differences.",
    },
)
def a_column_of_mu():
    filters, theta, _ = _corner()
    q, moved = torch.softmax(-theta, 0), crf.potts(6)
    before = crf.update(q, theta, filters, crf.potts(6))
    moved[:, 4] += 1
    after = crf.update(q, theta, filters, moved)
    same = torch.allclose(after, before, atol=1e-6)
    rarer = "poles become rarer" if after[4].sum() < before[4].sum() else "poles become more common"
    return Answer("nothing" if same else rarer, str(same))


@choice(
    "With our weights divided by ten, which entry of the unary gets the largest gradient in ten updates?",
    ("the start", "the fifth update", "the last update"),
    slips={
        "the start": "From the loss back to the start it's ten updates, and with small weights each step back leaves "
        "only a part of the gradient.",
        "the fifth update": "Each step back leaves only a part of the gradient, so it's largest where it begins: at "
        "the loss.",
    },
)
def entry_that_learns_most():
    filters, theta, labels = _corner()
    copies = [theta.clone().requires_grad_() for _ in range(11)]
    q = torch.softmax(-copies[0], 0)
    for copy in copies[1:]:
        q = crf.update(q, copy, [(weight / 10, kernel) for weight, kernel in filters], crf.potts(6))
    loss = F.nll_loss(q.log().T, labels, ignore_index=datasets.IGNORE_INDEX)
    sizes = [gradient.norm().item() for gradient in torch.autograd.grad(loss, copies)]
    entry = sizes.index(max(sizes))
    names = {0: "the start", 5: "the fifth update", 10: "the last update"}
    return Answer(names[entry], f"the largest gradient at entry {entry}")


@number(
    "If our loss takes a softmax of the marginals (0.9, 0.1), what does it get for 0.9?",
    tolerance=0.02,
    slips={
        0.9: "You expected softmax to leave probabilities alone. It does that only to their logarithms.",
        0.5: "You expected softmax to lose everything. It keeps a part of the difference, 0.8.",
        1.0: "You expected softmax to exaggerate. Scores of 0.9 and 0.1 are close, and so it flattens them.",
    },
)
def softmax_of_marginals():
    return round(torch.tensor([0.9, 0.1]).softmax(0)[0].item(), 2)
