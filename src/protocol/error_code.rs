//! The one list of everything that can go wrong (E1, E2). The documentation's table is made from it.

use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::fmt::Write;

/// What is known about a code.
struct Row {
    code: &'static str,
    status: u16,
    close: Option<u16>,
    retryable: bool,
    happened: &'static str,
    hint: &'static str,
}

macro_rules! error_codes {
    ($(
        $name:ident = $code:literal, $status:literal, $close:expr, $retryable:literal,
        $happened:literal, $hint:literal;
    )*) => {
        /// What went wrong. Each code has its HTTP status, its close code and what to do about it.
        ///
        /// ```
        /// use roomful::protocol::ErrorCode;
        ///
        /// assert_eq!(ErrorCode::RateLimited.as_str(), "rate_limited");
        /// assert_eq!(ErrorCode::RateLimited.status(), 429);
        /// assert_eq!(ErrorCode::RateLimited.close(), 4300);
        /// assert!(ErrorCode::RateLimited.retryable());
        /// ```
        #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
        pub enum ErrorCode {
            $(#[doc = $happened] $name,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)*];

            /// Their names on the wire, in the same order, each with a space behind it.
            pub const NAMES: &'static str = concat!($($code, " ",)*);

            const fn row(self) -> &'static Row {
                match self {
                    $(ErrorCode::$name => &Row {
                        code: $code,
                        status: $status,
                        close: $close,
                        retryable: $retryable,
                        happened: $happened,
                        hint: $hint,
                    },)*
                }
            }
        }
    };
}

error_codes! {
    InvalidRoom = "invalid_room", 400, Some(4509), false,
        "The room's name is not allowed.",
        "A name has 1 to 128 characters out of A-Z a-z 0-9 _ - . : ~ @.";
    InvalidToken = "invalid_token", 401, Some(4000), false,
        "There is no token, or it is not valid here.",
        "Get a fresh token; if that is refused too, compare its key, issuer and audience with the Worker's.";
    TokenExpired = "token_expired", 401, Some(4001), false,
        "The token has expired.",
        "Get a fresh token; on a live connection, send it in an auth message before the old one ends.";
    Unauthorized = "unauthorized", 401, None, false,
        "The new token was refused; the old one still counts.",
        "Send a valid token of the same user for this room; an anonymous server takes none.";
    Forbidden = "forbidden", 403, Some(4501), false,
        "The token does not allow this.",
        "Mint the token for this room, with the right that is needed.";
    ForbiddenOrigin = "forbidden_origin", 403, Some(4501), false,
        "Pages of this origin may not connect.",
        "Add the page's origin to the Worker's ALLOWED_ORIGINS.";
    Banned = "banned", 403, Some(4502), false,
        "This user is banned from the room.",
        "Stop, and tell the user.";
    NotConfigured = "not_configured", 500, Some(4103), true,
        "The server is not configured, or contradicts itself.",
        "Correct the Worker's variables; its log names what is missing or wrong.";
    BadMessage = "bad_message", 400, None, false,
        "The message is malformed.",
        "Correct what the error names; sent again unchanged, it is refused again.";
    UnknownType = "unknown_type", 400, None, false,
        "The server does not know this type of message.",
        "Correct the type, or deploy a server that knows it.";
    MessageTooLarge = "message_too_large", 413, None, false,
        "The message or frame is larger than MAX_MESSAGE_BYTES.",
        "Send less at once, or a link to what is large; or raise the limit.";
    StateTooLarge = "state_too_large", 413, None, false,
        "The presence state would be larger than MAX_STATE_BYTES; it stays as it was.",
        "Keep in the state only what the others must see, or raise the limit.";
    RateLimited = "rate_limited", 429, Some(4300), true,
        "Too many messages; this one was not taken.",
        "Wait for retry_after milliseconds, and send less often.";
    RoomFull = "room_full", 503, Some(4301), true,
        "The room has MAX_CONNECTIONS connections.",
        "Try again later, raise the limit, or spread the users over more rooms.";
    UserFull = "user_full", 429, Some(4301), true,
        "The user has MAX_CONNECTIONS_PER_USER connections in the room.",
        "Close the user's other tabs, or raise the limit.";
    StorageFailed = "storage_failed", 503, None, true,
        "The message could not be stored, and nobody got it.",
        "Send it again, with the same id if it has one.";
    StorageFull = "storage_full", 507, None, true,
        "The room's storage is full; what had to be stored was not, and nobody got it.",
        "Send it again later. Lower HISTORY_BYTES, or delete what is not needed; the log says how full it is.";
    Restarting = "restarting", 503, Some(4100), true,
        "The room restarts.",
        "Reconnect and resume; send an HTTP request again, with the same id.";
    TooSlow = "too_slow", 503, Some(4101), true,
        "The connection took its messages too slowly.",
        "Reconnect and resume; it takes a faster reader, a better network or a quieter room.";
    Silent = "silent", 408, Some(4102), true,
        "Nothing came from the client for too long.",
        "Reconnect, and ping as often as the welcome says.";
    RoomBusy = "room_busy", 503, Some(4103), true,
        "The room cannot be reached at the moment.",
        "Try again, with growing waits.";
    BadMessages = "bad_messages", 400, Some(4503), false,
        "The connection sent 10 bad messages within a minute.",
        "Stop, and correct the client; the bad_message errors before this one say what is wrong.";
    Replaced = "replaced", 409, Some(4504), false,
        "A newer connection of the same session took over.",
        "Nothing to do: the newer connection carries on.";
    Removed = "removed", 403, Some(4505), false,
        "The connection was closed by an administrator.",
        "Stop, and tell the user.";
    RoomDeleted = "room_deleted", 410, Some(4506), false,
        "The room was deleted.",
        "Stop; whoever connects next begins a new room.";
    UnsupportedProtocol = "unsupported_protocol", 400, Some(4507), false,
        "The server does not speak the protocol version that the client asks for.",
        "Offer the subprotocol roomful.v1, or update the client.";
    BinaryFrame = "binary_frame", 400, Some(4508), false,
        "The client sent a binary frame.",
        "Send JSON as text frames.";
    NotFound = "not_found", 404, Some(4509), false,
        "There is nothing at this path.",
        "Compare the path with the documentation.";
    MethodNotAllowed = "method_not_allowed", 405, Some(4509), false,
        "The path does not know this method.",
        "Use a method that the Allow header names; WebSockets open at /room/{room} alone.";
    BodyTooLarge = "body_too_large", 413, None, false,
        "The body is larger than 1 MiB.",
        "Send it in several requests.";
    Internal = "internal", 500, Some(1011), true,
        "Something went wrong inside the server.",
        "Try again; if it keeps happening, look into the Worker's log.";
}

impl ErrorCode {
    /// The code as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The code with this name on the wire.
    pub fn parse(code: &str) -> Option<ErrorCode> {
        let known = ErrorCode::ALL.iter().copied();
        known.into_iter().find(|known| known.as_str() == code)
    }

    /// The HTTP status of a request that is refused for this.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The code with which a WebSocket is closed for this (E2); 1011, an internal error, for what
    /// by itself closes none.
    pub fn close(self) -> u16 {
        self.row().close.unwrap_or(1011)
    }

    /// Whether the same request, unchanged, may succeed later.
    pub fn retryable(self) -> bool {
        self.row().retryable
    }

    /// What happened, as one sentence.
    pub fn happened(self) -> &'static str {
        self.row().happened
    }

    /// What a developer can do about it.
    pub fn hint(self) -> &'static str {
        self.row().hint
    }

    /// The whole list as a Markdown table, for the documentation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn markdown_table() -> String {
        let mut table = String::from(
            "| code | HTTP | close | retryable | what happened | what to do |\n\
             | --- | --- | --- | --- | --- | --- |\n",
        );
        for code in ErrorCode::ALL {
            let row = code.row();
            let close = row.close.map_or_else(String::new, |code| code.to_string());
            let retryable = if row.retryable { "yes" } else { "no" };
            // Writing to a String cannot fail.
            let _ = writeln!(
                table,
                "| `{}` | {} | {close} | {retryable} | {} | {} |",
                row.code, row.status, row.happened, row.hint,
            );
        }
        table
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
