//! What a server asks over HTTP (H1 to H3). The Worker has checked the token and the right; the room
//! checks bans and rates.

use super::counters::Count;
use super::input::{Call, RequestId};
use super::publish::{Published, Publisher, Waiting};
use super::speak::answer_units;
use super::{Action, Room, Turn};
use crate::auth::{Grant, Rights};
use crate::protocol::{Error, ErrorCode, Publish, reply, server};

impl Room {
    pub(super) fn serve(
        &mut self,
        request: RequestId,
        grant: &Grant,
        call: Call<'_>,
        turn: &mut Turn<'_>,
    ) {
        if !matches!(call, Call::Metrics) {
            self.counters.one(Count::Requests);
        }
        let reply = match self.check_ban(&grant.user, turn) {
            Err(error) => Err(error),
            Ok(_) => match call {
                Call::Publish(messages) => return self.publish_all(request, grant, messages, turn),
                Call::Presence => self.read(grant, turn, |room, _| {
                    let members = room.presence();
                    Ok((members.len(), members))
                }),
                Call::History(query) => self.read(grant, turn, |room, turn| {
                    let page = room.history(&query, turn)?;
                    let mut out = String::new();
                    server::history(&mut out, None, &page.messages, &room.meta.epoch, page.more);
                    Ok((page.weight(), out))
                }),
                Call::Summary => self.summary(turn),
                Call::Metrics => Ok(self.metrics(turn)),
                Call::Disconnect(disconnect) => self.disconnect(&disconnect, turn),
                Call::Delete(fresh) => self.delete(grant, fresh, turn),
            },
        };
        turn.out.push(Action::Reply { request, reply });
    }

    /// Answers a question, at the rate of the one who asks: that of the messages (H3). With the answer
    /// comes how many bytes it counts as.
    fn read(
        &mut self,
        grant: &Grant,
        turn: &mut Turn<'_>,
        answer: impl FnOnce(&mut Room, &mut Turn<'_>) -> Result<(usize, String), Error>,
    ) -> Result<String, Error> {
        self.take_call(grant, turn)?;
        let (bytes, answer) = answer(self, turn)?;
        if !grant.can.has(Rights::ADMIN) {
            let units = answer_units(bytes);
            self.rates
                .charge_call(&grant.user, units, turn.now, &self.limits);
        }
        Ok(answer)
    }

    /// N6 over HTTP: each user has a rate, and administrators have none.
    fn take_call(&mut self, grant: &Grant, turn: &Turn<'_>) -> Result<(), Error> {
        if grant.can.has(Rights::ADMIN) {
            return Ok(());
        }
        self.rates.call(&grant.user, turn.now, &self.limits)
    }

    /// H1, H2. The reply waits for the flush, since an offset is a promise.
    fn publish_all(
        &mut self,
        request: RequestId,
        grant: &Grant,
        messages: Vec<Result<Publish<'_>, Error>>,
        turn: &mut Turn<'_>,
    ) {
        let results = messages
            .into_iter()
            .map(|message| {
                let message = message?;
                let id = message.id.clone();
                self.publish_one(grant, &message, turn)
                    .map_err(|error| match id {
                        Some(id) => error.with_id(id),
                        None => error,
                    })
            })
            .collect();
        self.waiting.push(Waiting { request, results });
    }

    fn publish_one(
        &mut self,
        grant: &Grant,
        message: &Publish<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Published, Error> {
        self.take_call(grant, turn)?;
        if message.data.len() > self.limits.message_bytes {
            return Err(Error::new(ErrorCode::MessageTooLarge));
        }
        let publisher = Publisher {
            connection: None,
            user: &grant.user,
        };
        self.publish(publisher, message, message.except.clone().into(), turn)
    }

    /// After a flush: whoever published over HTTP learns what has become of it.
    /// `lost` is why what is not in the log could not be stored.
    pub(super) fn answer_publishers(&mut self, lost: Option<&Error>, turn: &mut Turn<'_>) {
        for Waiting { request, results } in std::mem::take(&mut self.waiting) {
            let mut out = String::from("{\"results\":[");
            for (place, result) in results.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                match result {
                    Ok(Published::Ephemeral) => reply::published(&mut out, None, &self.meta.epoch),
                    Ok(Published::Next(offset)) if offset > self.log.offset() => {
                        let lost = lost.cloned();
                        let lost = lost.unwrap_or_else(|| Error::new(ErrorCode::StorageFailed));
                        out.push_str(&lost.to_http_body());
                    }
                    Ok(Published::Before(offset) | Published::Next(offset)) => {
                        reply::published(&mut out, Some(offset), &self.meta.epoch);
                    }
                    Err(error) => {
                        self.counters.errors(error.code, 1);
                        out.push_str(&error.to_http_body());
                    }
                }
            }
            out.push_str("]}");
            turn.out.push(Action::Reply {
                request,
                reply: Ok(out),
            });
        }
    }

    /// H3, presence.
    fn presence(&self) -> String {
        let mut out = String::new();
        let members = (!self.meta.crowded).then(|| self.members.views());
        reply::presence(&mut out, members.as_deref(), self.occupancy());
        out
    }

    /// H3, the room itself.
    fn summary(&mut self, turn: &mut Turn<'_>) -> Result<String, Error> {
        let history = self.log.summary(turn.now, &self.limits, &mut *turn.store);
        let history = history.map_err(|error| turn.refused("summary", &error))?;
        let mut out = String::new();
        reply::room(
            &mut out,
            &reply::RoomSummary {
                room: &self.name,
                epoch: &self.meta.epoch,
                offset: self.log.offset(),
                occupancy: self.occupancy(),
                messages: history.messages,
                bytes: history.bytes,
                first_offset: history.first_offset,
                created_at: self.known.then_some(self.meta.created_at),
                awake_since: self.awake_since,
            },
        );
        Ok(out)
    }
}
