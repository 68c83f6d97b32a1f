"""The program that gives the result of a run to a hub."""
