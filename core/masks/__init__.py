"""Label masks: read from a dataset's own files, drawn as control images, varied with their images.

Arrays and plain values only: numpy and Pillow, no torch.
"""
