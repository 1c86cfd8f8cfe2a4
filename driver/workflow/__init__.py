"""A saved ComfyUI workflow becomes a checked, bound API graph. Pure logic, no network."""
