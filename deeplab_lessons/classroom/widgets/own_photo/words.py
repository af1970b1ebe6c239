"""What the reader's own photograph says; `{name}` marks a gap, {most}, {size} and {done} are in MB."""

WORDS = {
    "title": "Your own photograph",
    "name": "Picture",
    "own": "your own",
    "upload": "Your photograph",
    "photograph_title": "Photograph",
    "photograph_alt": "The photograph that the network gets.",
    "classes_title": "Best class",
    "classes_alt": "The photograph with its classes in colour. {caption}",
    "confidence_title": "Confidence",
    "confidence_alt": "Probability of the best class at each pixel, from black (a guess) to white (certain).",
    "note": "Confidence goes from black (a guess) to white (certain).",
    "looking": "The network is looking at {name}.",
    "sending": "{name}: {done} of {size} MB",
    "working": "{name}: all {size} MB are there; the network is looking at it",
    "too_large": "{name} has {size} MB; at most {most} MB can be sent. Put the file next to the notebook and pass its "
    "path to the widget's show(…), or choose a smaller copy.",
    "unreadable": "{name} cannot be read by the browser: {error}",
    "refused": "{error}",
    "silent": "Python has not answered yet: either it is busy, and {name} follows when it is done, or this notebook "
    "runs without a kernel: then run the cells above first.",
    "alone": "Another photograph needs Python, and there is none here: open this lesson in JupyterLab and run it.",
}

#: What Python says of a photograph.
SHARE = "{name} {share:.1%}, confident {sure:.0%}"
CAPTION = "{count} found, by area and mean probability: {shares}."
ONE, SEVERAL = "1 class", "{count} classes"
NO_FILE = "{error}: pass the path of a file as it is seen from the folder in which the notebook runs, or one of {names}"
TOO_SMALL = "a picture of {width} × {height} pixels has nothing to segment: at least 16 × 16 are needed"
