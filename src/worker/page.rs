//! The first page, where a room can be tried out. There is one in development only: while anonymous (T6).

use worker::{Response, Result};

use super::{host, reply};
use crate::auth::{AuthConfig, Mode};

/// The page, if there is one here.
pub fn page(auth: &AuthConfig) -> Result<Option<Response>> {
    let page = match auth.mode() {
        Mode::Anonymous => host::first_page(),
        Mode::NotConfigured(_) | Mode::Tokens(_) => None,
    };
    page.map(|page| reply::of_type(reply::HTML, page))
        .transpose()
}
