"""Articles, builds, embeddings and conversations: what is kept, and how it is kept safe."""

import os

# Read by NumPy when it is loaded: the products of one question are small, and a second thread
# that waits for work doubles what they cost.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
