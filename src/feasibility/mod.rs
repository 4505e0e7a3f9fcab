//! feasibility: to be filled in its own slice.
