//! What a client and a room can say to each other.
