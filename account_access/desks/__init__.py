"""Help desks behind one small contract; the local one keeps its tickets in our own store."""
