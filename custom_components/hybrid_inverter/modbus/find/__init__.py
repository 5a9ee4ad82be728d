"""How a device is found and identified behind a link."""
