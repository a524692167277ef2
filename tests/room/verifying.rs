//! A token that is being verified, outside of the room (T5).

use roomful::auth::Grant;
use roomful::protocol::Error;
use roomful::room::{Input, Link};

/// What [`Action::Verify`](roomful::room::Action::Verify) asked for.
pub struct Verifying {
    pub link: Link,
    pub id: Option<Box<str>>,
    pub token: Box<str>,
    pub nth: u32,
}

impl Verifying {
    /// What is brought back to the room.
    pub fn outcome(self, grant: Result<Grant, Error>) -> Input<'static> {
        let Verifying { link, id, nth, .. } = self;
        Input::Renewed {
            link,
            id,
            nth,
            grant,
        }
    }
}
