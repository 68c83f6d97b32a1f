"""The programs of an evaluation."""
