//! A token in, what its bearer may do out.
