"""What a device is: registers, codecs, features, families. No I/O."""
