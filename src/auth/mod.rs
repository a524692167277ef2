//! A token in, what its bearer may do out.
//!
//! Everything here is a function of its arguments: the time, the variables and
//! the fetched key set are passed in, so a rule can be shown by a plain test.
//! The way of a request through this module:
//!
//! 1. [`AuthConfig`] is what the operator set; its [`Mode`] says whether tokens
//!    are checked at all.
//! 2. [`Credentials`] are what the request carries: a token, the subprotocol it
//!    offered, the secret of an earlier session. [`origin_allowed`] judges where
//!    it comes from.
//! 3. [`verify`] turns a token into [`Claims`]. An HMAC is decided on the spot; a
//!    signature by a published key comes back as a [`PendingSignature`], because
//!    only the runtime's own cryptography checks those. [`JwksCache`] finds the
//!    key.
//! 4. [`Claims::grant`] narrows the claims to one room. A [`Grant`] is all that
//!    the room ever learns, and there is no other way to get one.
//!
//! [`SessionKey`] belongs to the room: it makes the secret with which a
//! connection comes back.
//!
//! Which algorithm may use which key is decided by types, not by a header:
//! [`PublicKeyAlgorithm`], the only thing that [`JwksCache`] can be asked for,
//! has no HMAC in it, and the secrets are used for nothing else.

mod base64url;
mod claims;
mod config;
mod credentials;
mod grant;
mod jwk;
mod jwks;
mod object;
mod origin;
mod rights;
mod rooms;
mod secrets;
mod session;
#[cfg(test)]
mod signer;
mod token;
mod verify;

pub use claims::{Claims, LEEWAY_MS};
pub use config::{AuthConfig, Mode, TokenRules};
pub use credentials::{Credentials, OfferedProtocol};
pub use grant::Grant;
pub use jwk::Jwk;
pub use jwks::{FETCH_TIMEOUT_MS, JwksCache, Lookup, MAX_JWKS_BYTES, MalformedJwks};
pub use origin::{Origins, is_this_machine, origin_allowed};
pub use rights::Rights;
pub use rooms::Rooms;
pub use session::SessionKey;
pub use token::{MAX_TOKEN_BYTES, PublicKeyAlgorithm};
pub use verify::{PendingSignature, Verification, verify};
