"""Lesson 05: right answers in many styles, and wrong ones."""

import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch.nn import functional as F


class PolyRight:
    def formula(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** power

    def what_is_left(iteration, iterations, power=0.9):
        return ((iterations - iteration) / iterations) ** power

    def math_pow(iteration, iterations, power=0.9):
        return math.pow(1 - iteration / iterations, power)

    def logarithm(iteration, iterations, power=0.9):
        return math.exp(power * math.log(1 - iteration / iterations))

    def numpy(iteration, iterations, power=0.9):
        return np.power(1 - np.divide(iteration, iterations), power)

    def single_precision(iteration, iterations, power=0.9):
        return np.float32(1 - iteration / iterations) ** np.float32(power)

    def tensor(iteration, iterations, power=0.9):
        return (1 - torch.tensor(iteration) / iterations) ** power

    def two_powers(iteration, iterations, power=0.9):
        return (iterations - iteration) ** power / iterations**power


class PolyWrong:
    @says("straight line")
    def linear(iteration, iterations, power=0.9):
        return 1 - iteration / iterations

    @says("part that is done")
    def done(iteration, iterations, power=0.9):
        return 1 - (iteration / iterations) ** power

    @says("rises from 0 to 1")
    def rising(iteration, iterations, power=0.9):
        return (iteration / iterations) ** power

    @says("only the default")
    def fixed(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** 0.9

    def another_default(iteration, iterations, power=1.0):
        return (1 - iteration / iterations) ** power

    @says("multiplies by the power")
    def times(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) * power

    @says("drops the fraction")
    def whole(iteration, iterations, power=0.9):
        return (1 - iteration // iterations) ** power

    @says("reaches 0")
    def to_zero(iteration, iterations, power=0.9):
        return (1 - iteration / (iterations - 1)) ** power

    @says("per cent")
    def hundred(iteration, iterations, power=0.9):
        return 100 * (1 - iteration / iterations) ** power

    def from_one(iteration, iterations, power=0.9):
        return (1 - (iteration + 1) / iterations) ** power

    @says("rounded to 3 places")
    def rounded(iteration, iterations, power=0.9):
        return round((1 - iteration / iterations) ** power, 3)

    def a_rate(iteration, iterations, power=0.9):
        return 0.001 * (1 - iteration / iterations) ** power

    def arguments_exchanged(iterations, iteration, power=0.9):
        return (1 - iteration / iterations) ** power

    def no_power(iteration, iterations):
        return (1 - iteration / iterations) ** 0.9

    def root(iteration, iterations, power=0.9):
        return (1 - iteration / iterations) ** (1 / power)

    @says("A list came; one number")
    def the_whole_schedule(iteration, iterations, power=0.9):
        return [(1 - each / iterations) ** power for each in range(min(iterations, 30))]


class SubsampleRight:
    def slices(labels, stride):
        return labels[stride // 2 :: stride, stride // 2 :: stride]

    def two_steps(labels, stride):
        rows = labels[stride // 2 :: stride]
        return rows[:, stride // 2 :: stride]

    def reshaped(labels, stride):
        h, w = labels.shape
        cells = labels.reshape(h // stride, stride, w // stride, stride)
        return cells[:, stride // 2, :, stride // 2]

    def loops(labels, stride):
        h, w = labels.shape
        small = np.zeros((h // stride, w // stride), dtype=labels.dtype)
        for i in range(h // stride):
            for j in range(w // stride):
                small[i, j] = labels[i * stride + stride // 2, j * stride + stride // 2]
        return small

    def zeros_of_floats(labels, stride):
        small = np.zeros((labels.shape[0] // stride, labels.shape[1] // stride))
        for (i, j), _ in np.ndenumerate(small):
            small[i, j] = labels[i * stride + stride // 2, j * stride + stride // 2]
        return small

    def list_of_rows(labels, stride):
        rows = range(stride // 2, len(labels), stride)
        columns = range(stride // 2, len(labels[0]), stride)
        return [[int(labels[i][j]) for j in columns] for i in rows]

    def index_grid(labels, stride):
        rows = np.arange(labels.shape[0] // stride) * stride + stride // 2
        columns = np.arange(labels.shape[1] // stride) * stride + stride // 2
        return labels[np.ix_(rows, columns)]

    def torch_slices(labels, stride):
        return torch.from_numpy(labels)[stride // 2 :: stride, stride // 2 :: stride]

    def taken(labels, stride):
        rows = labels.take(range(stride // 2, labels.shape[0], stride), 0)
        return rows.take(range(stride // 2, labels.shape[1], stride), 1).astype(np.int32)

    def nearest(labels, stride):
        numbers = torch.from_numpy(labels[None, None].astype(np.float32))
        return F.interpolate(numbers, scale_factor=1 / stride, mode="nearest-exact")[0, 0]


class SubsampleWrong:
    @says("corner of each cell")
    def corner(labels, stride):
        return labels[::stride, ::stride]

    @says("last pixel")
    def last(labels, stride):
        return labels[stride - 1 :: stride, stride - 1 :: stride]

    @says("before the middle")
    def before(labels, stride):
        return labels[(stride - 1) // 2 :: stride, (stride - 1) // 2 :: stride]

    def after(labels, stride):
        return labels[(stride + 1) // 2 :: stride, (stride + 1) // 2 :: stride]

    @says("averages labels")
    def averaged(labels, stride):
        h, w = labels.shape
        return labels.reshape(h // stride, stride, w // stride, stride).mean((1, 3)).astype(labels.dtype)

    @says("vote")
    def voted(labels, stride):
        h, w = labels.shape
        small = np.zeros((h // stride, w // stride), labels.dtype)
        for (i, j), _ in np.ndenumerate(small):
            cell = labels[i * stride : (i + 1) * stride, j * stride : (j + 1) * stride].ravel()
            votes = cell[cell != 255]
            small[i, j] = np.bincount(votes).argmax() if votes.size else 255
        return small

    def largest(labels, stride):
        h, w = labels.shape
        return labels.reshape(h // stride, stride, w // stride, stride).max((1, 3))

    @says("two axes")
    def rows(labels, stride):
        return labels[stride // 2 :: stride]

    def always_four(labels, stride):
        return labels[4::8, 4::8]

    def transposed(labels, stride):
        return labels[stride // 2 :: stride, stride // 2 :: stride].T

    def square(labels, stride):
        side = min(labels.shape) // stride
        return labels[stride // 2 :: stride, stride // 2 :: stride][:side, :side]

    def void_as_background(labels, stride):
        small = labels[stride // 2 :: stride, stride // 2 :: stride].copy()
        small[small == 255] = 0
        return small

    def signed_bytes(labels, stride):
        return labels[stride // 2 :: stride, stride // 2 :: stride].astype(np.int8)

    @says("The values are right, but the shape")
    def with_a_batch(labels, stride):
        return labels[None, stride // 2 :: stride, stride // 2 :: stride]

    def half_a_map(labels, stride):
        return labels[stride // 2 : len(labels) // 2 : stride, stride // 2 :: stride]


class MeanIouRight:
    def nanmean(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both)).nanmean().item()

    def loop(confusion):
        ious = []
        for c in range(len(confusion)):
            both = confusion[c, c]
            union = confusion[c].sum() + confusion[:, c].sum() - both
            if union > 0:
                ious.append(both / union)
        return sum(ious) / len(ious)

    def present(confusion):
        both = confusion.diag()
        union = confusion.sum(dim=0) + confusion.sum(dim=1) - both
        return (both[union > 0] / union[union > 0]).mean()

    def numpy(confusion):
        m = confusion.numpy()
        both = np.diag(m)
        union = m.sum(0) + m.sum(1) - both
        return np.mean(both[union > 0] / union[union > 0])

    def pure_python(confusion):
        m = confusion.tolist()
        ious = []
        for c, row in enumerate(m):
            union = sum(row) + sum(other[c] for other in m) - row[c]
            if union:
                ious.append(row[c] / union)
        return sum(ious) / len(ious)

    def single_precision(confusion):
        both = confusion.float().diagonal()
        union = confusion.float().sum(0) + confusion.float().sum(1) - both
        return float((both / union)[~torch.isnan(both / union)].mean())

    def mistakes(confusion):
        hits = torch.diagonal(confusion).double()
        missed, painted = confusion.sum(1) - hits, confusion.sum(0) - hits
        seen = (hits + missed + painted) != 0
        return ((hits / (hits + missed + painted).clamp(min=1)).sum() / seen.sum()).item()


class MeanIouWrong:
    @says("nowhere in the labels")
    def labelled_classes(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[confusion.sum(1) > 0].mean().item()

    def predicted_classes(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[confusion.sum(0) > 0].mean().item()

    def right_classes(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return iou[both > 0].mean().nan_to_num().item()

    def last_class_left_out(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return (iou[:-1] if iou[-1].isnan() else iou).mean().item()

    @says("counted as 0")
    def absent_is_zero(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both).clamp(min=1)).mean().item()

    def absent_is_one(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both)).nan_to_num(1.0).mean().item()

    @says("NaN")
    def plain_mean(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both)).mean().item()

    @says("pixel accuracy")
    def accuracy(confusion):
        return (confusion.trace() / confusion.sum()).item()

    @says("mean recall")
    def recall(confusion):
        return (confusion.diag() / confusion.sum(1)).nanmean().item()

    @says("mean precision")
    def precision(confusion):
        return (confusion.diag() / confusion.sum(0)).nanmean().item()

    @says("Dice")
    def dice(confusion):
        return (2 * confusion.diag() / (confusion.sum(0) + confusion.sum(1))).nanmean().item()

    @says("counts the intersection twice")
    def diagonal_twice(confusion):
        return (confusion.diag() / (confusion.sum(0) + confusion.sum(1))).nanmean().item()

    @says("per cent")
    def per_cent(confusion):
        return MeanIouRight.nanmean(confusion) * 100

    @says("weights the classes")
    def weighted(confusion):
        both = confusion.diagonal()
        iou = both / (confusion.sum(0) + confusion.sum(1) - both)
        return (iou * confusion.sum(1) / confusion.sum()).nansum().item()

    def of_the_sums(confusion):
        both = confusion.diagonal()
        return (both.sum() / (confusion.sum(0) + confusion.sum(1) - both).sum()).item()

    def without_background(confusion):
        both = confusion.diagonal()
        return (both / (confusion.sum(0) + confusion.sum(1) - both))[1:].nanmean().nan_to_num().item()

    @says("tensor of shape")
    def each_class(confusion):
        both = confusion.diagonal()
        return both / (confusion.sum(0) + confusion.sum(1) - both)

    @says("rounded to 3 places")
    def rounded(confusion):
        return round(MeanIouRight.nanmean(confusion), 3)

    def thirty_two_bits(confusion):
        m = confusion.to(torch.int32)
        both = m.diagonal()
        product = m.sum(0, dtype=torch.int32) * 16 + m.sum(1, dtype=torch.int32) * 16 - 16 * both
        return (16.0 * both / product).nanmean().item()


class CrossEntropyRight:
    def torch_functional(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255)

    def summed_and_divided(logits, labels):
        total = F.cross_entropy(logits, labels, ignore_index=255, reduction="sum")
        return total / (labels != 255).sum()

    def gathered(logits, labels):
        judged = labels != 255
        log_p = torch.log_softmax(logits, 1)
        picked = log_p.gather(1, torch.where(judged, labels, 0).unsqueeze(1)).squeeze(1)
        return -(picked * judged).sum() / judged.sum()

    def one_hot(logits, labels):
        judged = labels != 255
        target = F.one_hot(labels.clamp(max=logits.shape[1] - 1), logits.shape[1]).permute(0, 3, 1, 2)
        costs = -(target * logits.log_softmax(1)).sum(1)
        return costs[judged].mean()

    def rows(logits, labels):
        scores = logits.permute(0, 2, 3, 1)[labels != 255]
        classes = labels[labels != 255]
        chosen = scores[torch.arange(len(classes)), classes]
        return (torch.logsumexp(scores, dim=1) - chosen).mean()

    def maximum_subtracted(logits, labels):
        shifted = logits - logits.max(1, keepdim=True).values
        log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
        judged = labels != 255
        picked = torch.take_along_dim(log_p, (labels * judged)[:, None], 1)[:, 0]
        return -picked[judged].mean()

    def loops(logits, labels):
        costs = []
        for n in range(labels.shape[0]):
            for i in range(labels.shape[1]):
                for j in range(labels.shape[2]):
                    if labels[n, i, j] != 255:
                        log_p = F.log_softmax(logits[n, :, i, j], dim=0)
                        costs.append(-log_p[labels[n, i, j]])
        return sum(costs) / len(costs)

    def nll(logits, labels):
        return F.nll_loss(F.log_softmax(logits, dim=1), labels, ignore_index=255)


class CrossEntropyWrong:
    @says("exp(logits)")
    def overflows(logits, labels):
        p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
        judged = labels != 255
        right = p.gather(1, (labels * judged)[:, None])[:, 0]
        return -torch.log(right[judged]).mean()

    @says("finished softmax")
    def logarithm_of_zero(logits, labels):
        judged = labels != 255
        right = F.softmax(logits, 1).gather(1, (labels * judged)[:, None])[:, 0]
        return -torch.log(right[judged]).mean()

    def a_small_number_added(logits, labels):
        judged = labels != 255
        right = F.softmax(logits, 1).gather(1, (labels * judged)[:, None])[:, 0]
        return -torch.log(right[judged] + 1e-8).mean()

    @says("softmax twice")
    def two_softmaxes(logits, labels):
        return F.cross_entropy(F.softmax(logits, dim=1), labels, ignore_index=255)

    def softmax_of_the_logarithm(logits, labels):
        return F.nll_loss(F.softmax(logits, dim=1), labels, ignore_index=255)

    @says("no gradient")
    def no_gradient(logits, labels):
        return F.cross_entropy(logits.detach(), labels, ignore_index=255)

    @says("a float came")
    def a_number(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255).item()

    @says("no gradient")
    def a_new_tensor(logits, labels):
        return torch.tensor(F.cross_entropy(logits, labels, ignore_index=255).item())

    @says("returns the sum")
    def summed(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, reduction="sum")

    @says("still counted when you divide")
    def divided_by_all(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, reduction="none").mean()

    @says("background")
    def background(logits, labels):
        return F.cross_entropy(logits, torch.where(labels == 255, 0, labels))

    def void_is_a_class(logits, labels):
        return F.cross_entropy(logits, labels)

    @says("mean of each image")
    def image_by_image(logits, labels):
        losses = [
            F.cross_entropy(scores[None], each[None], ignore_index=255)
            for scores, each in zip(logits, labels, strict=True)
            if (each != 255).any()
        ]
        return sum(losses) / len(losses)

    def first_image(logits, labels):
        return F.cross_entropy(logits[:1], labels[:1], ignore_index=255)

    @says("sign")
    def sign(logits, labels):
        return -F.cross_entropy(logits, labels, ignore_index=255)

    @says("base 2")
    def bits(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255) / math.log(2)

    def over_the_rows(logits, labels):
        return F.nll_loss(F.log_softmax(logits, dim=2), labels, ignore_index=255)

    def smoothed(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, label_smoothing=0.1)

    def each_place(logits, labels):
        return F.cross_entropy(logits, labels, ignore_index=255, reduction="none")

    def hinge(logits, labels):
        judged = labels != 255
        right = logits.gather(1, (labels * judged)[:, None])
        return (logits - right).clamp(min=0).sum(1)[judged].mean()


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson05", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson05", name), answer)
