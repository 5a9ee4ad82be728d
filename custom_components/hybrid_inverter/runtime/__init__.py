"""A loaded entry: devices on a link, their coordinators, and writes to them."""
