//! What servers ask.

use roomful::protocol::{Error, ErrorCode, http};
use roomful::room::{Call, Input, RequestId};
use serde_json::Value;

use super::World;
use crate::arrival::arrival;

impl World {
    pub fn request(&mut self, user: &str, can: &[&str], call: Call<'_>) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let grant = arrival(user).can(can).grant;
        if !self.wake() {
            self.replies
                .insert(request, Err(Error::new(ErrorCode::RoomBusy)));
            return request;
        }
        self.handle(Input::Request {
            request,
            grant,
            call,
        });
        request
    }

    /// A server's request with all rights, waited for.
    pub fn ask(&mut self, call: Call<'_>) -> Result<Value, Error> {
        let request = self.request("server", &["admin"], call);
        self.answer(request)
    }

    pub fn answer(&mut self, request: RequestId) -> Result<Value, Error> {
        self.pass(100);
        let reply = self.replies.remove(&request).expect("it is answered");
        reply.map(|text| serde_json::from_str(&text).expect("a reply is JSON"))
    }

    /// Publishes over HTTP.
    pub fn post(&mut self, message: Value) -> Result<Value, Error> {
        let text = message.to_string();
        let mut reply = self.ask(Call::Publish(vec![http::decode_publish(&text)]))?;
        Ok(reply["results"][0].take())
    }

    pub fn disconnect(&mut self, body: Value) -> Result<Value, Error> {
        let disconnect = http::decode_disconnect(&body.to_string())?;
        self.ask(Call::Disconnect(disconnect))
    }

    pub fn delete(&mut self) -> Result<Value, Error> {
        let fresh = self.next_life();
        self.ask(Call::Delete(fresh))
    }

    pub fn presence(&mut self) -> Value {
        self.ask(Call::Presence).expect("presence")
    }
}
