"""Speed against stock Rasa in the same run, as ratios: `python -m benchmarks` (or `make bench`)."""
