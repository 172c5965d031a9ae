"""What a shallow network is: parameters, evaluation, neuron states, symmetries, files."""
