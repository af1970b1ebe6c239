"""Exercises with checks, one module per lesson: `from deeplab_lessons.classroom.exercises import lesson02 as ex`.

Each exercise knows three words: `ex.NAME.check(your_function)`, `ex.NAME.hint()` and `ex.NAME.solution()`.
"""
