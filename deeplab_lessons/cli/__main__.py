"""`python -m deeplab_lessons.cli`."""

from deeplab_lessons.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
