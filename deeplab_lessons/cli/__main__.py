"""`python -m deeplab_lessons.cli`."""

from deeplab_lessons.cli import main

raise SystemExit(main())
