"""Battery control: what an order means in a device's registers. No I/O."""
