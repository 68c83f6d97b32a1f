"""Makes the fixture set of instances: rows, predictions, and what has to become of each prediction."""
