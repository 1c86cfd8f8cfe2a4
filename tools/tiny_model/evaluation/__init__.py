"""`python tools/tiny_model evaluate`: draw with the driver, measure with the trainer."""
