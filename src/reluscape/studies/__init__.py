"""Many runs: declared, spread over processors, kept, and read as one table."""
