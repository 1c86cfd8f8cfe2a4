"""What manyshot's extension writes into the texts of images, where the WebUI itself is silent."""

INTERRUPTED = "Manyshot interrupted"
"""Of an image that was interrupted or skipped, and is half drawn."""
