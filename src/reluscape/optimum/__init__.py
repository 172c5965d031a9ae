"""The global optimum, with a proof: lower bounds on the risk of every network of a width."""
