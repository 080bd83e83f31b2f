"""The files one has: finding them in folders, telling them apart, leading a name to one of them."""
