"""Entries for the rows of the papers' tables that the package holds as data: `classroom.published` and `released`."""

from collections.abc import Callable, Collection, Iterator

from deeplab_lessons.classroom.ledger import released
from deeplab_lessons.classroom.ledger.entry import Entry, cite, compute, measure
from deeplab_lessons.classroom.ledger.twins import Twin
from deeplab_lessons.classroom.published import ROWS

_ONE_DECIMAL = {"context", "cityscapes"}  # data sets for which v2 prints one digit

#: Rows of which a twin was measured: before and, where there is one, after the CRF.
TWINS = {
    "v1_7x7": [Twin("05", "7x7")],
    "v1_4x4": [Twin("05", "small field")],
    "v1_largefov": [Twin("05", "LargeFOV")],
    "v2_vgg_poly_6k": [Twin("10", "poly, batch 6, 600")],
    "v2_vgg_poly_10k": [Twin("10", "poly, batch 6, 1000")],
    "v2_vgg_poly_10k_batch10": [Twin("10", "poly, batch 2, 1000")],
    "v2_vgg_largefov": [Twin("09", "fixed field")],
    "v2_vgg_aspp_s": [Twin("09", "ASPP-S")],
    "v2_vgg_aspp_l": [Twin("09", "ASPP-L")],
    "v3_mg111": [Twin("11", "no multi-grid", at="16")],
    "v3_mg124": [Twin("11", "multi-grid", at="16")],
    "v3_rate24": [Twin("11", "rate 8 too", at="16")],
    "v3_resnet101": [Twin("11", "v3", at="16")],
    "v3_subsampled": [Twin("11", "subsampled labels", at="16")],
    "v3plus_resnet101": [Twin("12", "v3+")],
    "v3plus_xception": [Twin("12", "v3+, separable")],
}

#: Rows that other tables have as well.
SOURCES = {
    "v3_resnet101": "v3, tables 5, 6, 8 to 11; v3+, table 3",
    "v3plus_resnet101": "v3+, tables 2 and 3",
}

#: The one row whose print we cannot reach.
ODD = ("resnet101", 16, True, False)
_ACCOUNT = "What the last 0.1 to 0.4 % are is not known: see `ledger.released` for the parts that are."
_ODD = "The paper's other rows put the decoder at 21.7, this one at 20.3; we know no network that gives the print."


def published(version: str, without: Collection[str] = ()) -> list[Entry]:
    """mIoU before and after the CRF of each published row of `version` ("v1", …, "v3plus"), but those in `without`."""
    rows = [row for row in ROWS if row["network"]["version"] == version and row["name"] not in without]
    return [entry for row in rows for entry in _mean_ious(row)]


def _mean_ious(row: dict) -> Iterator[Entry]:
    """One or two entries for a row, measured where it has a twin."""
    source, _, words = row["row"].partition(": ")
    words = (
        words or f"{row['network']['backbone']}, poly, {row['iterations']:,} batches of {row['batch_size']}"
    )
    words += f" ({row['data']})" if "data" in row else ""
    source = SOURCES.get(row["name"], source)
    twins = [*TWINS.get(row["name"], ()), None, None]
    for value, twin, with_crf in ((row["mean_iou"], twins[0], ""), (row["with_crf"], twins[1], ", with CRF")):
        if value is not None:
            printed = f"{value:.1f}" if row.get("data") in _ONE_DECIMAL else f"{value:.2f}"
            name = f"mIoU (%) of {words}{with_crf}"
            yield measure(source, printed, name, twin) if twin else cite(source, printed, name)


def weight_decay(name: str) -> Callable[[], float]:
    """What gives the weight decay of a published row."""
    return lambda: next(row["weight_decay"] for row in ROWS if row["name"] == name)


def multiply_adds() -> list[Entry]:
    """The multiply-adds that v3+ prints, for images of 513 pixels, against `released.account`."""
    return [_account(key, printed) for key, printed in released.PRINTED.items()]


def _account(key: tuple, printed: float) -> Entry:
    """One row of v3+'s tables 3 and 5: our count, and what the released code adds to it."""
    backbone, stride, decoder, separable = key
    words = (
        f"multiply-adds, {backbone}, output stride {stride}"
        + ", decoder" * decoder
        + ", separable" * separable
    )
    apart = {"ours": "102.59B", "why": _ODD} if key == ODD else {"within": 0.004, "why": _ACCOUNT}
    source = "v3+, table 3" if backbone == "resnet101" else "v3+, table 5"
    return compute(source, f"{printed:.2f}B", words, lambda: 1e9 * released.account(*key)["sum"], **apart)
