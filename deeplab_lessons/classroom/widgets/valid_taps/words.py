"""The words of the explorer of valid taps."""

WORDS = {
    "title": "Valid taps: how many of nine taps fall on the map?",
    "dilation": "dilation",
    "map_size": "map size",
    "slider_label": "{number}, slider",
    "map_title": "The map",
    "map_note": "{size} × {size} cells, coloured by taps on the map",
    "chart_title": "Every dilation on this map",
    "chart_note": "fraction of the cells with each number of taps",
    "axis": "dilation (cells)",
    "table_label": "Cells by their number of valid taps",
    "column_taps": "taps on the map",
    "column_cells": "cells",
    "column_share": "fraction",
    "percent": "{share} %",
    "cells": "{cells}",
    "legend_cell": "square: the chosen cell; rings: its taps on the map",
    "hint": "Move over the map to look at a cell, click to choose it. With the keyboard: Tab to a slider or to the "
    "map, then the arrow keys (on the map: Shift for 10 cells, Home and End for the ends of the row).",
    "said_whole": "Dilation {dilation} on {size} × {size} cells: all nine taps are on the map at {nine} % of "
    "the cells.",
    "said_none": "Dilation {dilation} on {size} × {size} cells: nowhere are all nine taps on the map; {one} % of the "
    "cells have one.",
    "said_point": "Dilation {dilation} on {size} × {size} cells: every cell has one tap. This is a 1 × 1 convolution.",
    "said_cell": "The cell in row {row}, column {column} has {taps} of 9.",
    "describe_map": "Map of {size} by {size} cells for dilation {dilation}. Taps on the map: {shares}. The cell in row "
    "{row}, column {column} has {taps}. Arrow keys move the cell.",
    "describe_share": "{taps} at {share} % of the cells",
    "describe_chart": "Curves over the dilation from 1 to {last}. All nine taps: {nine} % at dilation 1, none from "
    "dilation {none} on. One tap: all cells from dilation {size} on. A line marks dilation {dilation}.",
}
