//! Which request means what (C1, section 7): paths and methods, without their consequences.

use worker::Method;

use crate::protocol::{Error, ErrorCode, names};

/// What a path is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`: the page of the development server.
    Page,
    Health,
    /// `/metrics`: this isolate in numbers.
    Metrics,
    /// `/publish`: many messages, perhaps to many rooms.
    PublishBatch,
    /// `/room/{room}` and what lies below it.
    Room {
        name: String,
        what: Resource,
    },
}

/// What of a room a request is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The room itself: sockets, streams, its summary, its end.
    Room,
    Publish,
    Presence,
    History,
    Metrics,
    Disconnect,
}

impl Route {
    /// The route of a percent-encoded path. Only the room's name is decoded: an encoded slash in it is part of the name,
    /// and so makes the name an invalid one.
    pub fn of(path: &str) -> Result<Route, Error> {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let route = match (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        ) {
            (Some(""), None, ..) => Route::Page,
            (Some("health"), None, ..) => Route::Health,
            (Some("metrics"), None, ..) => Route::Metrics,
            (Some("publish"), None, ..) => Route::PublishBatch,
            (Some("room"), Some(name), what, None) => {
                let what = match what {
                    None => Resource::Room,
                    Some("publish") => Resource::Publish,
                    Some("presence") => Resource::Presence,
                    Some("history") => Resource::History,
                    Some("metrics") => Resource::Metrics,
                    Some("disconnect") => Resource::Disconnect,
                    Some(_) => return Err(Error::new(ErrorCode::NotFound)),
                };
                Route::Room {
                    name: names::room_name(name)?,
                    what,
                }
            }
            _ => return Err(Error::new(ErrorCode::NotFound)),
        };
        Ok(route)
    }

    /// What the header `Allow` says of it.
    pub fn allow(&self) -> String {
        let methods = self.methods().iter().map(Method::as_ref);
        methods.chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
    }

    /// The methods it knows.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Route::Page | Route::Health => &[Method::Get, Method::Head],
            Route::PublishBatch => &[Method::Post],
            Route::Room {
                what: Resource::Room,
                ..
            } => &[Method::Get, Method::Delete],
            Route::Metrics
            | Route::Room {
                what: Resource::Presence | Resource::History | Resource::Metrics,
                ..
            } => &[Method::Get],
            Route::Room {
                what: Resource::Publish | Resource::Disconnect,
                ..
            } => &[Method::Post],
        }
    }
}
