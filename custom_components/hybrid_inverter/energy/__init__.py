"""The Energy dashboard: what it can be told of the devices that are set up, and telling it."""
