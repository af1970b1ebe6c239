"""Numbers in sentences about papers that need no ledger entry, because they are the course's own.

A number needs a line here only where its sentence points to a paper. Elsewhere it is enough that a cell prints it.
"""

#: By lesson: a reason, and the numbers as the lesson writes them.
EXEMPT: dict[str, dict[str, str]] = {
    "01": {"nearest pixels on VOC's maps, measured in tests/course/test_lesson01_claims.py (%)": "93.4 96.2"},
    "02": {"a map of the released pools, printed by a cell": "161"},
    "03": {
        "repeats in the source note's list": "9",
        "cells of the map, 28 x 28": "784",
        "fields with a pool5 that is not dilated, printed by a cell": "396 300",
    },
    "05": {"cells per side at small scale": "16"},
    "09": {"the twin's crop and one of its dilations": "161 9", "a share that a cell prints (%)": "71"},
    "10": {
        "500 and 321 pixels at 0.5, released and ours: tests/models/test_multi_scale.py": "161 250 251 500"
    },
    "11": {
        "networks in the paper's table": "20",
        "75.18 less 20.29, roughly": "55",
    },
    "12": {
        "classes of VOC with background": "21",
        "what output stride 8 costs, by our count (10⁹)": "175",
        "cells per side of the twin's map": "11",
        "photographs that the heads learn from": "150",
        "how far the decoder is from the print's (10⁹ multiply-adds)": "0.01",
        "one 3 x 3 less, by our count (10⁹ multiply-adds)": "10",
    },
    "13": {"the size of torchvision's file (MB)": "160"},
    "14": {
        "a batch below which the rule is not tested": "32",
        "87.8 less 71.6, roughly, and another difference that somebody might rank by": "16 0.3",
        "how much larger the pictures are shown": "1.5",
    },
}

#: By lesson: differences that the lesson takes between two printed numbers; it may round them.
DIFFERENCES: dict[str, list[str]] = {
    "04": ["68.70 - 67.64", "63.41 - 59.80"],
    "08": ["69.84 - 65.76", "77.69 - 76.35"],
    "09": ["68.96 - 65.76", "71.57 - 69.84", "65.88 - 65.76"],
    "10": ["64.90 - 64.71", "65.88 - 64.71", "77.69 - 76.35"],
    "11": ["77.21 - 76.58", "76.58 - 75.36", "77.21 - 76.01", "75.78 - 74.30", "76.11 - 74.62", "73.14 - 71.45"],
    "12": [
        "78.85 - 78.21", "78.21 - 77.61", "78.85 - 77.21", "79.93 - 79.17", "79.93 - 79.79",
        "101.28 - 81.02", "74.20 - 52.43", "297.92 - 276.18",
    ],
}  # fmt: skip
