"""The program that asks a model for patches, over a chat API that speaks OpenAI's protocol."""
