"""Random label maps, and their cells one by one."""

import numpy as np
from hypothesis import strategies as st

CLASSES = 4


@st.composite
def maps(draw):
    height, width = draw(st.integers(1, 13)), draw(st.integers(1, 13))
    label = st.one_of(st.just(255), st.integers(0, CLASSES - 1))
    pixels = draw(st.lists(label, min_size=height * width, max_size=height * width))
    return np.array(pixels, np.uint8).reshape(height, width), draw(st.integers(1, 6))


def cells_of(labels, stride):
    """Each cell as its own small array, the cut ones included."""
    for i, top in enumerate(range(0, labels.shape[0], stride)):
        for j, left in enumerate(range(0, labels.shape[1], stride)):
            yield (i, j), labels[top : top + stride, left : left + stride]
