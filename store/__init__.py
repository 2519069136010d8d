"""Articles, builds, embeddings and conversations: what is kept, and how it is kept safe."""
