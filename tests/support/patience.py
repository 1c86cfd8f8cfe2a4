"""How long tests wait for a server: it says that something hangs, never that a machine is slow."""

PATIENCE = 600  # seconds; on a machine ten times overloaded, 240 were too few
