"""A module for each layout of a labelled folder: `matches` recognises it, `read` reads it."""
