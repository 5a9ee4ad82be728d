"""The schedules of each family as one vocabulary. No I/O."""
