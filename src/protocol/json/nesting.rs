//! Which objects and arrays are open during a scan.

#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// One bit for each open container, and words on the heap only below level 64, so that a frame that
/// nests a million deep costs some kilobytes and no stack.
#[derive(Default)]
pub(super) struct Nesting {
    innermost: u64,
    outer: Vec<u64>,
    depth: usize,
    deepest: usize,
}

impl Nesting {
    pub fn open(&mut self, container: Container) {
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.innermost);
        }
        self.innermost = (self.innermost << 1) | u64::from(container == Container::Object);
        self.depth = self.depth.saturating_add(1);
        self.deepest = self.deepest.max(self.depth);
    }

    pub fn close(&mut self) {
        self.innermost >>= 1;
        self.depth = self.depth.saturating_sub(1);
        if self.depth != 0 && self.depth.is_multiple_of(64) {
            self.innermost = self.outer.pop().unwrap_or_default();
        }
    }

    pub fn innermost(&self) -> Option<Container> {
        match (self.depth, self.innermost & 1) {
            (0, _) => None,
            (_, 0) => Some(Container::Array),
            _ => Some(Container::Object),
        }
    }

    /// How many were open at once at most.
    pub fn deepest(&self) -> usize {
        self.deepest
    }
}
