//! Room in a queue, counted in bytes.
//!
//! A queue that is bounded by the number of its messages is not bounded in memory when one message
//! may have megabytes. Whoever puts something into a queue takes room first and gives it back when
//! the thing has left.
//!
//! Invariant: something larger than all the room there is passes alone, so nothing waits for ever.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The size of one unit. Small messages cost one, which also bounds their number.
const UNIT: usize = 1024;

/// Room that many share; it is given in the order of asking.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    units: Arc<Semaphore>,
    total: u32,
}

/// Room that was taken. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Taken {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        let total = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self {
            units: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// Waits until there is room for so many bytes.
    pub(crate) async fn take(&self, bytes: usize) -> Taken {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.clamp(1, self.total);
        let permit = Arc::clone(&self.units).acquire_many_owned(units).await;
        // The semaphore is never closed; if it were, a message would be better than none.
        Taken {
            _permit: permit.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, UNIT};

    #[tokio::test]
    async fn what_is_larger_than_everything_passes_alone() {
        let room = Room::of_bytes(4 * UNIT);
        let small = room.take(1).await;
        let waiting = tokio::spawn({
            let room = room.clone();
            async move { room.take(100 * UNIT).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(small);
        let all = waiting.await.unwrap();
        assert_eq!(room.units.available_permits(), 0);
        drop(all);
        assert_eq!(room.units.available_permits(), 4);
    }
}
