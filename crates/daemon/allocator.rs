//! How the allocator of the system is set up.

/// Lets all threads share one arena.
///
/// glibc gives each thread an arena of its own, and what one has freed is not used by another: after a
/// few long answers the process holds each of them as often as there were threads that made one. With
/// two processors there is nothing to win by that.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "glibc offers no other way; it is called once, before there is a second thread"
)]
pub(crate) fn share_one_arena() {
    // SAFETY: it only sets a number that the allocator reads, and no other thread is there.
    // Where it is refused, memory is used as before.
    let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Other allocators share by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_one_arena() {}
