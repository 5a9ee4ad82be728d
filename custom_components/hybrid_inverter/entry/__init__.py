"""What a config entry keeps: its data, its names, and the files beside it."""
