"""`manyshot demo`: from a few photos of solar cells to a measured gain."""
