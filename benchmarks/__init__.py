"""reluscape side by side with its peers: ``python -m benchmarks`` runs, measures and writes."""
