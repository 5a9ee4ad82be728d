"""Battery control: orders, how long they last, and what ends them."""
