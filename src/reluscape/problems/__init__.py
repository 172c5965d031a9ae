"""What a network is fitted to: a target, an input measure, the squared loss."""
