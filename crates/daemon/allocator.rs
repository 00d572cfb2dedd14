//! How the allocator of the system is set up.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, c_int};

    /// Two are enough for what runs at once, and one had many installations wait for each other. By itself
    /// glibc gives each thread an arena of its own, and what one has freed is not used by another: after a
    /// few long answers the process holds each of them as often as there were threads that made one.
    const ARENAS: c_int = 2;

    /// A piece up to this size is taken from an arena: the answer to a usual listing. A larger one has
    /// pages of its own, because those can grow without being copied.
    const PIECE: c_int = 4 << 20;

    /// So much an arena keeps at its end when it is freed. By itself glibc gives back what an answer was
    /// made in, and the next one pays for getting page after page from the system. What was never used
    /// costs nothing, so a small home is not larger for it.
    const KEPT: c_int = 16 << 20;

    #[expect(
        unsafe_code,
        reason = "glibc offers no other way; it is called once, before there is a second thread"
    )]
    pub(super) fn set_up() {
        let kept = [(M_MMAP_THRESHOLD, PIECE), (M_TRIM_THRESHOLD, KEPT)];
        // Where addresses are short glibc refuses pieces of that size, and one number without the other
        // would be worse than none.
        let kept = kept
            .into_iter()
            .filter(|_| cfg!(target_pointer_width = "64"));
        for (parameter, number) in kept.chain([(M_ARENA_MAX, ARENAS)]) {
            // SAFETY: it only sets a number that the allocator reads, and no other thread is there.
            // Where it is refused, memory is used as before.
            let _ = unsafe { libc::mallopt(parameter, number) };
        }
    }
}

/// Makes the memory of one answer serve the next, whichever thread makes it.
pub(crate) fn set_up() {
    // Other allocators do so by themselves.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::set_up();
}
