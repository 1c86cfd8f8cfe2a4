"""Another extension's."""

OTHER = True
