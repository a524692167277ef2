//! The deployment's variables. They never change while an isolate lives, so they are read once.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Once;

use worker::Env;

use super::{host, log};
use crate::auth::{AuthConfig, Mode, is_this_machine};
use crate::protocol::{Error, ErrorCode, InvalidVariable, Limits};
use crate::variables::{Placement, known, misspelt};

/// What the operator has set.
pub struct Config {
    pub auth: AuthConfig,
    pub limits: Limits,
    pub placement: Placement,
}

thread_local! {
    static CONFIG: OnceCell<Result<Rc<Config>, Error>> = const { OnceCell::new() };
}

/// The variables, or why they cannot be used (T6). The reason goes to the operator's log, with the variable's name.
pub fn config(env: &Env) -> Result<Rc<Config>, Error> {
    CONFIG.with(|cell| {
        cell.get_or_init(|| {
            for name in host::variables(env.as_ref()).split_terminator('\n') {
                if let Some(found) = misspelt(name) {
                    log::unknown_variable(name, found.meant);
                }
            }
            read(env).map(Rc::new).map_err(|invalid| {
                log::not_configured(&invalid);
                Error::new(ErrorCode::NotConfigured)
            })
        })
        .clone()
    })
}

fn read(env: &Env) -> Result<Config, InvalidVariable> {
    let invalid = |name, reason: &'static str| InvalidVariable {
        name,
        reason: reason.into(),
    };
    // A list, say. To take it for unset would let in whom it was to keep out, if it is an audience.
    if let Some(name) = known().find(|name| host::is_no_text(env.as_ref(), name)) {
        return Err(invalid(name, "must be text, a number or a boolean"));
    }
    let get = |name: &str| host::variable(env.as_ref(), name);
    let auth = AuthConfig::from_variables(get)?;
    // Nothing can be fetched from what is no URL, and the runtime would repeat all of it in its complaint.
    if let Mode::Tokens(rules) = auth.mode()
        && rules.jwks_url().is_some_and(|url| !host::is_url(url))
    {
        return Err(invalid("ROOMFUL_JWKS_URL", "must be an https URL"));
    }
    Ok(Config {
        auth,
        limits: Limits::from_variables(get)?,
        placement: Placement::from_variables(get)?,
    })
}

impl Config {
    /// Tells the operator, once, that everybody may do everything at an address that is not this machine's (T6).
    pub fn warn_of_strangers(&self, address: &str) {
        static WARNED: Once = Once::new();
        if matches!(self.auth.mode(), Mode::Anonymous) && !is_this_machine(address) {
            WARNED.call_once(|| log::anonymous(address));
        }
    }
}
