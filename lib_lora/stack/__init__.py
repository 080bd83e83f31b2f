"""What the user wants: immutable values and every way to write them. Standard library only."""
