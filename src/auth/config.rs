//! What the operator set about tokens and origins (T1, T2, T6).

use crate::protocol::{Error, ErrorCode, InvalidVariable};

use super::origin::{Address, Origins};
use super::secrets::Secrets;
use super::token::invalid;

/// The operator's decisions, read from the Worker's variables.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    mode: Mode,
    origins: Origins,
}

/// Whether and how tokens are checked (T6).
#[derive(Clone, Debug)]
pub enum Mode {
    /// Nothing but `/health` is answered. Says what to set, for the operator.
    NotConfigured(&'static str),
    /// Local development: no token is needed and everything is allowed.
    Anonymous,
    /// Everybody needs a token that passes these rules.
    Tokens(TokenRules),
}

/// What a token is checked against. Has at least one secret or a key set's URL.
#[derive(Clone, Debug)]
pub struct TokenRules {
    secrets: Secrets,
    jwks_url: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
}

const NOTHING_SET: &str =
    "Set ROOMFUL_SECRETS or ROOMFUL_JWKS_URL, or ROOMFUL_ANONYMOUS=true for local development.";
const ANONYMOUS_AND_KEYS: &str =
    "ROOMFUL_ANONYMOUS=true must not stand beside ROOMFUL_SECRETS or ROOMFUL_JWKS_URL.";
const NO_AUDIENCE: &str = "ROOMFUL_JWKS_URL needs ROOMFUL_AUDIENCE.";

impl AuthConfig {
    /// Reads the variables through `get`. One that is empty or blank counts as
    /// unset. Each is read once:
    ///
    /// | Variable | Value |
    /// | --- | --- |
    /// | `ROOMFUL_SECRETS` | 1 to 10 secrets of at least 32 bytes, comma-separated, each bare or as `kid:secret` |
    /// | `ROOMFUL_JWKS_URL` | an `https` URL (`http` for a loopback host) |
    /// | `ROOMFUL_ISSUER` | the `iss` that tokens must have |
    /// | `ROOMFUL_AUDIENCE` | the `aud` that tokens must have; required with a JWKS URL |
    /// | `ROOMFUL_ANONYMOUS` | `true` or `false` |
    /// | `ALLOWED_ORIGINS` | `*`, or origins, comma-separated, with at most one `*` each |
    ///
    /// An entry of `ROOMFUL_SECRETS` is a `kid:secret` whenever what stands before
    /// its first `:` could be a kid, `[A-Za-z0-9_-]{1,32}`.
    ///
    /// # Errors
    ///
    /// A variable whose value cannot be meant. What is missing, or contradicts
    /// something else, is [`Mode::NotConfigured`] instead. Neither ever shows a
    /// secret.
    pub fn from_variables(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<AuthConfig, InvalidVariable> {
        let read = |name: &'static str| {
            get(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let secrets = match read("ROOMFUL_SECRETS") {
            None => Secrets::default(),
            Some(list) => Secrets::parse(&list).map_err(|what| wrong("ROOMFUL_SECRETS", what))?,
        };
        let jwks_url = read("ROOMFUL_JWKS_URL");
        if jwks_url.as_deref().is_some_and(|url| !is_key_set_url(url)) {
            return Err(wrong("ROOMFUL_JWKS_URL", "must be an https URL"));
        }
        let anonymous = match read("ROOMFUL_ANONYMOUS").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong("ROOMFUL_ANONYMOUS", "must be true or false")),
        };
        let origins = match read("ALLOWED_ORIGINS") {
            None => Origins::Unset,
            Some(list) => Origins::parse(&list).map_err(|what| wrong("ALLOWED_ORIGINS", what))?,
        };
        let rules = TokenRules {
            secrets,
            jwks_url,
            issuer: read("ROOMFUL_ISSUER"),
            audience: read("ROOMFUL_AUDIENCE"),
        };
        Ok(AuthConfig {
            mode: Mode::of(anonymous, rules),
            origins,
        })
    }

    /// Whether and how tokens are checked.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Which pages may use this server.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Nothing if requests can be answered at all.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::NotConfigured`], with what is to be set.
    pub fn check(&self) -> Result<(), Error> {
        match self.mode {
            Mode::NotConfigured(reason) => {
                Err(Error::new(ErrorCode::NotConfigured).with_message(reason))
            }
            Mode::Anonymous | Mode::Tokens(_) => Ok(()),
        }
    }

    pub(super) fn is_anonymous(&self) -> bool {
        matches!(self.mode, Mode::Anonymous)
    }

    /// What a token is checked against.
    pub(super) fn rules(&self) -> Result<&TokenRules, Error> {
        self.check()?;
        match &self.mode {
            Mode::Tokens(rules) => Ok(rules),
            _ => Err(invalid(
                "This server takes no tokens: it is in anonymous mode.",
            )),
        }
    }
}

impl Mode {
    fn of(anonymous: bool, rules: TokenRules) -> Mode {
        let keys = !rules.secrets.is_empty() || rules.jwks_url.is_some();
        match (anonymous, keys) {
            (false, false) => Mode::NotConfigured(NOTHING_SET),
            (true, true) => Mode::NotConfigured(ANONYMOUS_AND_KEYS),
            (true, false) => Mode::Anonymous,
            (false, true) if rules.jwks_url.is_some() && rules.audience.is_none() => {
                Mode::NotConfigured(NO_AUDIENCE)
            }
            (false, true) => Mode::Tokens(rules),
        }
    }
}

impl TokenRules {
    /// Where the public keys are published.
    pub fn jwks_url(&self) -> Option<&str> {
        self.jwks_url.as_deref()
    }

    /// The `iss` that every token must have.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The `aud` that every token must have, alone or in a list.
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn wrong(name: &'static str, reason: &'static str) -> InvalidVariable {
    InvalidVariable {
        name,
        reason: reason.into(),
    }
}

/// Keys fetched over plain HTTP are anybody's, unless they never leave the machine.
fn is_key_set_url(url: &str) -> bool {
    let address = url.split_once("://").and_then(|(scheme, rest)| {
        Address::of(
            scheme,
            rest.split(['/', '?', '#']).next().unwrap_or_default(),
        )
    });
    url.bytes().all(|b| b.is_ascii_graphic())
        && address.is_some_and(|address| match address.scheme() {
            "https" => true,
            "http" => address.is_loopback(),
            _ => false,
        })
}

#[cfg(test)]
mod tests;
