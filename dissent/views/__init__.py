"""The edge: pages ask who and what time it is, and hand both down."""
