"""Tables of numbers, out of files: what the command line and studies read."""
