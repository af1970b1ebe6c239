"""Handed-in notebooks, graded: `deeplab-lessons grade handed_in/*.ipynb --output grades.csv`.

Three kinds of processes. The grading one reads notebooks as text and writes the table; nothing that a learner wrote
runs in it. For each notebook an *answering* process runs what the exercises need (`answering.py`), under limits and in
an empty folder, and sends the answers back as data (`encoding.py`). A *judging* process, which has run nothing of the
notebook, compares them with its own reference on its own cases (`judging.py`).

This keeps mistakes and mischief of a class apart from the grades. It is not a sandbox: an answering process may read
your files and use your network. Grade notebooks of strangers in a container.
"""
