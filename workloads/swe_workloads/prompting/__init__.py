"""How an instance becomes a prompt."""
