"""The program that puts a model where a server finds it."""
