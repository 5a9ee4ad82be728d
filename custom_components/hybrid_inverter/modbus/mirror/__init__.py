"""What was polled last, served to other Modbus TCP clients; nothing is sent to a device for them."""
