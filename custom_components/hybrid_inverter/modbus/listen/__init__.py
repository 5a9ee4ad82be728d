"""Reading meters that another master polls, without sending a byte."""
