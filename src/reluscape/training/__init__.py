"""Moving towards a minimum of the risk."""
