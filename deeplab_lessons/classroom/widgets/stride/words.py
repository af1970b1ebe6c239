"""The words of the stride explorer."""

WORDS = {
    "title": "Stride explorer: what can a map of this stride draw?",
    "stride": "stride",
    "at_step": "{value} px",
    "reading": "drawn by",
    "reading_subsample": "one label per cell: the middle pixel",
    "reading_majority": "one label per cell: the majority",
    "reading_shares": "class shares, enlarged bilinearly",
    "panel_picture": "image",
    "panel_drawn": "drawn from {rows} × {columns} cells",
    "panel_wrong": "wrong pixels: {wrong} %",
    "caption": "Stride {stride}: {rows} × {columns} cells draw the map with a mean IoU of {iou} %; {wrong} % of the "
    "pixels are wrong. From left to right: image, drawn map, wrong pixels.",
    "hint": "With the keyboard, press Tab to reach the slider or the list, then the arrow keys.",
}
