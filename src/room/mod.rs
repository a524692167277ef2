//! The room as a state machine: an input in, actions out.
