//! The deployment's variables. They never change while an isolate lives, so they are read once.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::Env;

use super::{host, log};
use crate::auth::AuthConfig;
use crate::protocol::{Error, ErrorCode, InvalidVariable, Limits};

/// What the operator has set.
pub struct Config {
    pub auth: AuthConfig,
    pub limits: Limits,
    /// `ROOM_JURISDICTION`: where the rooms' objects must stay (H8).
    pub jurisdiction: Option<String>,
    /// `ROOM_LOCATION`: where they should begin (H8).
    pub location: Option<String>,
}

thread_local! {
    static CONFIG: OnceCell<Result<Rc<Config>, Error>> = const { OnceCell::new() };
}

/// The variables, or why they cannot be used (T6). The reason goes to the operator's log, with the variable's name.
pub fn config(env: &Env) -> Result<Rc<Config>, Error> {
    CONFIG.with(|cell| {
        cell.get_or_init(|| {
            read(env).map(Rc::new).map_err(|invalid| {
                log::not_configured(&invalid);
                Error::new(ErrorCode::NotConfigured)
            })
        })
        .clone()
    })
}

fn read(env: &Env) -> Result<Config, InvalidVariable> {
    let get = |name: &str| host::variable(env.as_ref(), name);
    let set = |name: &str| {
        get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    Ok(Config {
        auth: AuthConfig::from_variables(get)?,
        limits: Limits::from_variables(get)?,
        jurisdiction: set("ROOM_JURISDICTION"),
        location: set("ROOM_LOCATION"),
    })
}
