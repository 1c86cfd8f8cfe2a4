"""Labelled folders: one reader for every layout, used by nodes, driver and trainer alike."""
