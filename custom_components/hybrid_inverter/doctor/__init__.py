"""The wiring doctor: what it says of each inverter, in sensors and repair issues, and the test that an owner starts."""
