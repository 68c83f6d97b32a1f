"""Tests of the real engine, for inside the trainer image."""

import os

# Before anything loads a BLAS. More threads make a tiny model take several times as long on busy cores, and an engine
# that a wrapper starts where there is no limit has one anyway.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
