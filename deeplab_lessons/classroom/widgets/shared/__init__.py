"""What the widgets share: scripts, style sheet, checks and words, and the pages that hold a single widget."""
