"""What builds and checks the ledger of `deeplab_lessons.classroom`; `make ledger` runs it.

- `statements` reads the lessons, `numerals` finds the numbers in what they state.
- `matching` says which statement means which entry; `scan` holds the lessons against all entries, `exemptions` names
  the numbers that need none.
- `snapshot` keeps what the package's table needs to know of the lessons and of `lessons/results/`.
- `page` writes everything as one HTML page.
"""
