//! solver: to be filled in its own slice.
