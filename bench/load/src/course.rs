//! The course of a measurement: everybody connects, warms up, is measured, and gets what is left.

use std::error::Error;
use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::arguments::Arguments;
use crate::cpu::{Usage, rounded};
use crate::protocol::Door;
use crate::sockets::{Listener, Sockets};
use crate::tally::{Complaints, Traffic};

/// What the joins have left to send is none of the measurement's business.
const SETTLE: u64 = 500_000;
/// A double would come after what it doubles.
const DOUBLES: u64 = 200_000;

/// How long each part takes (µs).
pub struct Course {
    warmup: u64,
    seconds: u64,
    drain: u64,
}

/// What a workload is told when it begins (µs).
pub struct Times {
    pub start: u64,
    /// What is measured.
    pub window: Range<u64>,
}

/// What can be said of every measurement.
pub struct Measured {
    pub usage: Usage,
    connected: u64,
    drained: u64,
}

impl Course {
    pub fn of(arguments: &mut Arguments) -> Result<Course, String> {
        Ok(Course {
            warmup: arguments.seconds("warmup", 2.0)?,
            seconds: arguments.seconds("seconds", 5.0)?,
            drain: arguments.seconds("drain", 5.0)?,
        })
    }

    /// Runs it with so many people; `begin` starts the workload.
    pub fn run<L: Listener>(
        &self,
        sockets: &mut Sockets,
        people: usize,
        listener: &mut L,
        begin: impl FnOnce(&mut L, Times),
    ) -> Result<Measured, Box<dyn Error>> {
        sockets.gather(people, listener, Door::of_user)?;
        let connected = sockets.now();
        sockets.serve_for(listener, SETTLE)?;

        let start = sockets.now();
        let window = start + self.warmup..start + self.warmup + self.seconds;
        begin(
            listener,
            Times {
                start,
                window: window.clone(),
            },
        );
        sockets.serve_until(listener, window.start)?;
        let meter = sockets.meter();
        sockets.serve_until(listener, window.end)?;
        let usage = meter.stop();

        let stopped = sockets.now();
        sockets.serve_rest(listener, stopped + self.drain)?;
        let drained = sockets.now() - stopped;
        sockets.serve_for(listener, DOUBLES)?;
        Ok(Measured {
            usage,
            connected,
            drained,
        })
    }
}

impl Measured {
    /// Adds what it knows to a workload's own figures.
    pub fn report<const N: usize>(
        &self,
        sockets: &Sockets,
        traffic: &Traffic,
        complaints: &Complaints,
        figures: [Value; N],
    ) -> Value {
        let seconds = (traffic.window.end - traffic.window.start) as f64 / 1e6;
        let each = |count: u64| (count as f64 / seconds.max(1e-3)).round();
        let own = json!({
            "connected_ms": self.connected as f64 / 1e3,
            "connect_ms": sockets.connect.to_json(),
            "drained_ms": self.drained as f64 / 1e3,
            "deliveries_per_second": each(traffic.deliveries),
            "frames_per_second": each(traffic.frames),
            "bytes_per_second": each(traffic.bytes),
            "us_per_delivery": self.usage.server_micros_each(traffic.deliveries),
            "still_open": sockets.open,
            "complaint": sockets.complaint.as_ref().or(complaints.first.as_ref()),
        });
        joined([joined(figures), own, usage_json(&self.usage)])
    }
}

/// What a measurement cost whom.
pub fn usage_json(usage: &Usage) -> Value {
    json!({
        "window_s": rounded(usage.seconds),
        "server_cpu": usage.server_json(),
        "load_cpu": usage.load_json(),
    })
}

/// One object out of several.
pub fn joined<const N: usize>(objects: [Value; N]) -> Value {
    let mut all = Map::new();
    for object in objects {
        if let Value::Object(object) = object {
            all.extend(object);
        }
    }
    Value::Object(all)
}
