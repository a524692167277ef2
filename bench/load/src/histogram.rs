//! Latencies: in steps of 10 µs up to 100 ms, and of 1 ms up to a minute.

use serde_json::{Value, json};

const FINE: u64 = 10;
const FINE_UNTIL: u64 = 100_000;
const COARSE: u64 = 1_000;
const COARSE_UNTIL: u64 = 60_000_000;
const FINE_STEPS: usize = (FINE_UNTIL / FINE) as usize;

pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    pub fn new() -> Histogram {
        let coarse_steps = ((COARSE_UNTIL - FINE_UNTIL) / COARSE) as usize;
        Histogram {
            counts: vec![0; FINE_STEPS + coarse_steps + 1],
            count: 0,
            max: 0,
        }
    }

    pub fn add(&mut self, micros: u64) {
        let step = if micros < FINE_UNTIL {
            (micros / FINE) as usize
        } else {
            FINE_STEPS + ((micros - FINE_UNTIL) / COARSE) as usize
        };
        let last = self.counts.len() - 1;
        self.counts[step.min(last)] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The latency, in milliseconds, that this share did not exceed (to within a step, upwards).
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (step, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                let micros = if step < FINE_STEPS {
                    (step as u64 + 1) * FINE
                } else {
                    FINE_UNTIL + (step - FINE_STEPS + 1) as u64 * COARSE
                };
                return micros.min(self.max) as f64 / 1_000.0;
            }
        }
        self.max as f64 / 1_000.0
    }

    /// JSON, in milliseconds; `null` if nothing was measured.
    pub fn to_json(&self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| self.quantile(share));
        let max = self.max as f64 / 1_000.0;
        json!({ "count": self.count, "p50": p50, "p90": p90, "p99": p99, "max": max })
    }
}

impl FromIterator<u64> for Histogram {
    fn from_iter<T: IntoIterator<Item = u64>>(micros: T) -> Histogram {
        let mut histogram = Histogram::new();
        micros.into_iter().for_each(|micros| histogram.add(micros));
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_within_a_step() {
        let mut histogram = Histogram::new();
        for micros in 1..=1_000 {
            histogram.add(micros * 200);
        }
        assert_eq!(histogram.quantile(0.25), 50.01);
        assert_eq!(histogram.quantile(0.99), 199.0);
        assert_eq!(histogram.quantile(1.0), 200.0);
    }
}
