//! The first page, where a room can be tried out. There is one in development only: while anonymous (T6).

use worker::{Response, Result};

use crate::auth::{AuthConfig, Mode};

const PAGE: &str = include_str!("page.html");

pub fn page(auth: &AuthConfig) -> Result<Option<Response>> {
    if matches!(auth.mode(), Mode::Anonymous) {
        Response::from_html(PAGE).map(Some)
    } else {
        Ok(None)
    }
}
