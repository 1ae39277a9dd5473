"""What a report says, before it is drawn or written: figures and where they come from."""
