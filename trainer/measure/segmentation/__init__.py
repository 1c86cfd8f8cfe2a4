"""Do synthetic pairs of image and mask help a segmenter? The same comparison, on pixels."""
