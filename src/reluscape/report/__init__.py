"""What a person sees of a fit: figures, documents, plain values."""
