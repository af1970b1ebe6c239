"""What the widgets share: scripts, style sheet, checks and words, and the pages on which a widget lives alone."""
