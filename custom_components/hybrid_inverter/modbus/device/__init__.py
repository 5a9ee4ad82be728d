"""One device: planned reads, checked writes, undo."""
