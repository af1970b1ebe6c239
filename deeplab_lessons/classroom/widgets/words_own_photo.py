"""The words of the photograph explorer."""

WORDS = {
    "name": "picture",
    "upload": "Your photograph",
    "alt": "From left to right: the picture, the classes in colour, how sure the network is. {caption}",
    "panels": "From left to right: the picture; the best class of each pixel; how sure the network is of it, from "
    "black (a guess) to white (certain).",
    "share": "{name} {share:.1%}, sure {sure:.0%}",
    "caption": "{count} found, by area and mean probability: {shares}.",
    "one": "1 class",
    "several": "{count} classes",
    "rest": "something else",
}

NO_FILE = "{error}: give the path of a file as it is seen from the folder in which the notebook runs, or one of {names}"
TOO_SMALL = "a picture of {width} × {height} pixels has nothing to segment: at least 16 × 16 are needed"
