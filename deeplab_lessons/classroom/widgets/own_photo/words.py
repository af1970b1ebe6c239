"""What the reader's own photograph says: Python's words, and those of the button that sends it."""

WORDS = {
    "name": "picture",
    "alt": "From left to right: the picture, the classes in colour, how confident the network is. {caption}",
    "panels": "From left to right: the picture; the best class of each pixel; how confident the network is of it, from "
    "black (a guess) to white (certain).",
    "share": "{name} {share:.1%}, confident {sure:.0%}",
    "caption": "{count} found, by area and mean probability: {shares}.",
    "one": "1 class",
    "several": "{count} classes",
}

#: `upload.js`, which fills the gaps; {most} and {size} are in MB.
UPLOAD = {
    "upload": "Your photograph",
    "sending": "{name}: {done} of {size} MB",
    "working": "{name}: all {size} MB are there; the network is looking at it",
    "too_large": "{name} has {size} MB; at most {most} MB can be sent. Put the file next to the notebook and pass its "
    "path to the widget's show(…), or choose a smaller copy.",
    "unreadable": "{name} cannot be read by the browser: {error}",
    "refused": "{error}",
    "silent": "Python has not answered yet: either it is busy, and {name} follows when it is done, or this notebook "
    "runs without a kernel: then run the cells above first.",
}

NO_FILE = "{error}: give the path of a file as it is seen from the folder in which the notebook runs, or one of {names}"
TOO_SMALL = "a picture of {width} × {height} pixels has nothing to segment: at least 16 × 16 are needed"
