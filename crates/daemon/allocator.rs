//! How the allocator of the system is set up.

/// Two are enough for what runs at once, and one had many installations wait for each other.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: libc::c_int = 2;

/// Lets all threads share a few arenas.
///
/// glibc gives each thread an arena of its own, and what one has freed is not used by another: after a
/// few long answers the process holds each of them as often as there were threads that made one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "glibc offers no other way; it is called once, before there is a second thread"
)]
pub(crate) fn share_arenas() {
    // SAFETY: it only sets a number that the allocator reads, and no other thread is there.
    // Where it is refused, memory is used as before.
    let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
}

/// Other allocators share by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn share_arenas() {}
