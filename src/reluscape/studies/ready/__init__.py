"""Studies that come ready made: what the papers say of descent, measured."""
