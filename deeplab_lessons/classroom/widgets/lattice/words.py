"""The words of the lattice explorer."""

WORDS = {
    "title": "One pixel on its way into the lattice",
    "x": "column / σα",
    "y": "grey / σβ",
    "step": "step",
    "slider_label": "{number}, slider",
    "features": "The pixel is at ({x}, {y}), in σ.",
    "embed": "The matrix E turns the two into three coordinates, which sum to 0: {elevated}.",
    "round": "Each is rounded to a multiple of 3: {rounded}. The sum is {sum}: {where}.",
    "in": "this is a vertex",
    "beside": "off the plane",
    "rank": "Rounding left {rest}. Their ranks, 0 for the largest, are {rank}.{turn} The first vertex is {origin}.",
    "down": " The sum was 3, so the coordinate of the smallest rest goes down by 3.",
    "up": " The sum was -3, so the coordinate of the largest rest goes up by 3.",
    "weigh": "From that vertex the point is {offset} away; divided by 3 and sorted: {sorted}. The two differences are "
    "the weights of the last and the middle corner, and the first gets what they leave of 1: {weights}.",
    "key": "The three corners, without their last coordinate, which follows from the others: {keys}.",
    "look up": "{found}. Each corner's entry gets its weight times the pixel's value.",
    "there": "{key} is in the table already",
    "new": "{key} is new",
    "caption": "Step {step}, {name}: {line}",
    "done": "{name}: {line}",
    "drawn": "The plane of features with its triangles; three other pixels (grey) have put their corners (blue) into "
    "the table.",
    "describe": "{drawn} {caption} Arrow keys move the pixel.",
    "hint": "The orange pixel moves among three others (grey), whose corners (blue) are in the table. Move over the "
    "plane to look, click to put the pixel there. With the keyboard: Tab to a slider or to the plane, then the arrow "
    "keys (on the plane: Shift for 10 steps, Home and End for its edges).",
}
