"""AUTOMATIC1111's WebUI, and those that descend from it, as a backend of the driver."""
