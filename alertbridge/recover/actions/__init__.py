"""What can be done to mend something: one file for each action."""
