"""The wiring doctor in the houses of the simulator."""
