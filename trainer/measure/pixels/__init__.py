"""Learning from pixels: augmentation policies, nets, and the training loop."""
