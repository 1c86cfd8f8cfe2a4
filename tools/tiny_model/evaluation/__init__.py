"""`manyshot base evaluate`: draw with the driver, measure with the trainer."""
