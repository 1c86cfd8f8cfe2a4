"""ComfyUI as a backend: its HTTP API and websocket, and whatever is particular to it."""
