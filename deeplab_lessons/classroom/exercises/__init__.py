"""Exercises with checks, one module per lesson: `from deeplab_lessons.classroom.exercises import lesson02 as ex`.

Each exercise knows three words: `ex.NAME.check(your_answer)`, `ex.NAME.hint()` and `ex.NAME.solution()`. There are
four kinds: write a function or repair one (`framework`), design something that has given properties (`designs`), put
steps in order (`orders`).
"""
