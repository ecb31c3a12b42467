"""The local host of the pages of `flywheel review` and `flywheel console`: on this machine alone, for one person."""
