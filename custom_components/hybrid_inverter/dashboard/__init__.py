"""A dashboard for what is set up: views and cards of Home Assistant, as an action returns them."""
