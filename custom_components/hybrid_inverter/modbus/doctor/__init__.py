"""Whether clamps, meters, strings, battery and clock are wired and set as they should be, by what is polled anyway."""
