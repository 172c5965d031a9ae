"""Networks written down from class means, without descent (S4: Chen and Muñoz Ewald)."""
