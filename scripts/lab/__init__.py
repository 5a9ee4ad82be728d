"""A house to try things in: a simulated plant and a real Home Assistant, as processes of their own."""
