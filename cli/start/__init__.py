"""`manyshot start` and `manyshot demo`: from a few photos a class to a measured gain."""
