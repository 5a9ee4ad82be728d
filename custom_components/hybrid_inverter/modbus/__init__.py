"""The device layer: registers, links and machines, without any Home Assistant in it."""
