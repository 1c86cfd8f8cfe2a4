"""What `import manyshot` offers: the commands as functions, and results for tables and notebooks.

The functions call what the commands call. They raise what the commands print: `InputError` for
wrong input, `ManyshotError` for what failed on the way.
"""
