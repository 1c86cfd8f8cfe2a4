"""How far generated pairs can be trusted: a segmenter of real pairs reads each of them, and those
that agree are kept."""
