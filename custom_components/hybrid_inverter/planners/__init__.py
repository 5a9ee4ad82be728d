"""The configuration of programs that plan what a battery does, as an action returns it."""
