"""Labelled photos of a folder as what jobs are made from: image, mask and control of each job."""
