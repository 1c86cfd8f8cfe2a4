"""Which images are copies of which others: re-encoded, resized, turned, mirrored, cropped."""
