"""A dataset folder in the formats that other programs read: one file for each format.

`export` in export.py is the way in. All formats start from `read_material` (material.py).
"""
