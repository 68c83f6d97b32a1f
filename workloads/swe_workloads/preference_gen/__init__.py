"""The programs of a PreferenceGen: from a model's own patches and their tests to pairs that it can learn from."""
