//! Which pages may use the server (T7).

use std::net::{IpAddr, Ipv6Addr};

use crate::protocol::{Error, ErrorCode};

use super::config::AuthConfig;

/// The pages that `ALLOWED_ORIGINS` lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Nothing is set: none, save those of the same machine while anonymous.
    Unset,
    /// `*`: all, an opaque `null` included.
    Any,
    /// These and no others.
    List(Vec<Entry>),
}

/// One of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An origin as browsers write it.
    Exact(String),
    /// What stands before and after the `*`.
    Wild(String, String),
}

impl Origins {
    /// From `*`, or a comma-separated list of `scheme://host[:port]`. Case, a
    /// final `/` and a port that the scheme implies make no difference. A host may have one `*`,
    /// with at least two dots after it.
    pub(super) fn parse(list: &str) -> Result<Origins, &'static str> {
        if list.trim() == "*" {
            return Ok(Origins::Any);
        }
        let entries = list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        entries
            .map(|entry| match entry {
                "*" => Err("must be * alone or a list without it"),
                "null" => Err("must not have null, which any page can claim to be"),
                _ => Entry::parse(entry.strip_suffix('/').unwrap_or(entry)).ok_or(
                    "must have entries of the form https://host or https://host:port, a * only before two dots",
                ),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Origins::List)
    }
}

impl Entry {
    fn parse(entry: &str) -> Option<Entry> {
        let Some((before, after)) = entry.split_once('*') else {
            return Some(Entry::Exact(Address::parse(entry)?.to_origin()));
        };
        // A letter has the star's place while the rest is brought into the form that browsers write.
        let origin = Address::parse(&format!("{before}x{after}"))?.to_origin();
        let (before, after) = origin.split_at_checked(before.len())?;
        // Under `*.app` are pages of anybody; and what comes before `//` is no host.
        let dots = after.bytes().filter(|&b| b == b'.').count();
        (dots >= 2 && before.contains('/'))
            .then(|| Entry::Wild(before.to_owned(), after.get(1..).unwrap_or("").to_owned()))
    }

    /// A `*` stands for what a name between two dots, or a part of it, is made of.
    fn has(&self, asked: &str) -> bool {
        match self {
            Entry::Exact(origin) => origin.eq_ignore_ascii_case(asked),
            Entry::Wild(before, after) => asked
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|name| is_name(name) && !name.contains('.')),
        }
    }
}

/// Judges a request's `Origin` header; `address` is the origin of its own URL.
///
/// Gives what goes into `Access-Control-Allow-Origin`: nothing without an
/// `Origin`, `*` if all are allowed, the origin itself otherwise (and then the
/// response varies by `Origin`).
///
/// Pages send no `Origin` when they read from their own. Who needs no token has only
/// that to be kept out by: while anonymous, a request without `Origin` is judged by
/// `address`. Otherwise a page whose name leads to this machine, since its owner has
/// changed what the name stands for, could read all that is said here.
///
/// # Errors
///
/// [`ErrorCode::ForbiddenOrigin`] for an origin that is not allowed.
pub fn origin_allowed<'a>(
    origin: Option<&'a str>,
    address: &str,
    config: &AuthConfig,
) -> Result<Option<&'a str>, Error> {
    let listed = |asked: &str| match config.origins() {
        Origins::Any => true,
        Origins::List(list) => list.iter().any(|entry| entry.has(asked)),
        Origins::Unset => config.is_anonymous() && is_this_machine(asked),
    };
    let allowed = match origin {
        Some(origin) => listed(origin),
        None => !config.is_anonymous() || listed(address) || has_no_owner(address),
    };
    if !allowed {
        return Err(Error::new(ErrorCode::ForbiddenOrigin));
    }
    let any = *config.origins() == Origins::Any;
    Ok(origin.map(|origin| if any { "*" } else { origin }))
}

/// Whether an origin is of the machine that whoever asks runs on, reached over HTTP.
///
/// ```
/// use roomful::auth::is_this_machine;
///
/// assert!(is_this_machine("http://localhost:8787"));
/// assert!(!is_this_machine("http://192.168.1.5:8787"));
/// ```
pub fn is_this_machine(origin: &str) -> bool {
    Address::parse(origin).is_some_and(|it| it.is_loopback())
}

/// Whether an origin's host is a number, or `localhost`: what nobody who owns a name can make lead elsewhere.
fn has_no_owner(origin: &str) -> bool {
    Address::parse(origin).is_some_and(|it| it.ip().is_some() || it.is_loopback())
}

/// Where a server or a page is: scheme, host and port, in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Address {
    /// From `scheme://host[:port]`, with nothing after it.
    pub(super) fn parse(text: &str) -> Option<Address> {
        let (scheme, authority) = text.split_once("://")?;
        Address::of(scheme, authority)
    }

    /// From a scheme and a `host[:port]`; user and password are not taken.
    pub(super) fn of(scheme: &str, authority: &str) -> Option<Address> {
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address are inside its brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if !is_scheme(scheme) || !is_host(host) {
            return None;
        }
        let port = match port {
            None => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Address {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether this is the machine that the browser runs on, reached over HTTP.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.as_str();
        matches!(self.scheme.as_str(), "http" | "https")
            && (host == "localhost"
                || host.ends_with(".localhost")
                || self.ip().is_some_and(|ip| ip.is_loopback()))
    }

    fn ip(&self) -> Option<IpAddr> {
        let host = self.host.as_str();
        let inside = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        match inside {
            Some(inside) => inside.parse().ok().map(IpAddr::V6),
            None => host.parse().ok().map(IpAddr::V4),
        }
    }

    /// As a browser writes it in `Origin`: without the port that goes without
    /// saying.
    fn to_origin(&self) -> String {
        let Address { scheme, host, port } = self;
        match (scheme.as_str(), port) {
            (_, None) | ("https", Some(443)) | ("http", Some(80)) => format!("{scheme}://{host}"),
            (_, Some(port)) => format!("{scheme}://{host}:{port}"),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn is_host(text: &str) -> bool {
    let (brackets, inside) = match text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(inside) => (true, inside),
        None => (false, text),
    };
    if brackets {
        return inside.parse::<Ipv6Addr>().is_ok();
    }
    is_name(inside)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

#[cfg(test)]
mod tests;
