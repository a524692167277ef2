// Section 7 of the protocol: what servers ask for, and clocks.
export default [
  {
    promise: "H1: except leaves connections out",
    file: "src/room/serve.rs",
    text: "self.publish(publisher, message, message.except.clone().into(), turn)",
    by: "self.publish(publisher, message, Box::default(), turn)",
  },
  {
    promise: "H1: a publish is answered once it is stored",
    file: "src/room/serve.rs",
    text: "Ok(Published::Next(offset)) if offset > self.log.offset() => {",
    by: "Ok(Published::Next(offset)) if offset == 0 => {",
  },
  {
    promise: "H3: what servers read does not depend on when the room woke",
    file: "src/room/serve.rs",
    text: "server::history(&mut out, None, &page.messages, &room.meta.epoch, page.more);",
    by: "let more = page.more || room.now > room.awake_since.saturating_add(30_000);\n                    server::history(&mut out, None, &page.messages, &room.meta.epoch, more);",
  },
  {
    promise: "H4: a ban holds",
    file: "src/room/connect.rs",
    text: "Ok(Some(until)) if until > turn.now => Err(Error::new(ErrorCode::Banned)),",
    by: "Ok(Some(until)) if until > turn.now.saturating_add(5_000) => Err(Error::new(ErrorCode::Banned)),",
  },
  {
    promise: "H4: a ban that is lifted stays lifted",
    file: "src/room/admin.rs",
    text: "0 => 0,\n",
    by: "",
  },
  {
    promise: "H4: who is removed leaves at once",
    file: "src/room/admin.rs",
    text: "} else {\n                self.end_absence(id, turn);\n            }",
    by: "}",
  },
  {
    promise: "H5: a deletion erases what was stored",
    file: "src/room/admin.rs",
    text: "let bans_until = turn.store.erase(turn.now)?;",
    by: "let bans_until: Option<u64> = None;",
  },
  {
    promise: "H5: a deletion closes everyone",
    file: "src/room/admin.rs",
    text: "old.say_goodbye(link, &error, turn);",
    by: "let _ = (&old, link);",
  },
  {
    promise: "H7: a stream resumes after its last event",
    file: "src/room/welcome.rs",
    text: "body::event(&mut text, &message, Some(offset), &self.meta.epoch);",
    by: "body::event(&mut text, &message, None, &self.meta.epoch);\n                let _ = offset;",
  },
  {
    promise: "H7: only what is stored moves the last event's id",
    file: "src/room/body.rs",
    text: "event(&mut self.text, text, offset, epoch);",
    by: "event(&mut self.text, text, offset.or(Some(0)), epoch);",
  },
  {
    promise: "E4: a clock that is set forward leaves nothing to a timer that it overtook",
    file: "src/room/due.rs",
    text: "armed.saturating_add(OVERDUE_MS) < turn.now",
    by: "armed.saturating_add(OVERDUE_MS) < at.min(0)",
  },
  {
    promise: "N6: a clock that is set back empties no bucket",
    file: "src/room/clock.rs",
    text: "connection.rate.set_back(back);",
    by: "",
  },
  {
    promise: "N6: a clock that is set back while the room sleeps empties no bucket",
    file: "src/room/attachment.rs",
    text: "rate.set_back(read.heard_at.saturating_sub(now));",
    by: "rate.set_back(0);",
  },
  {
    promise: "E4: a clock that is set back makes nobody wait for it",
    file: "src/room/clock.rs",
    text: "absent.leave_at = absent.leave_at.saturating_sub(back);",
    by: "",
  },
];
