//! What else happened on the server's cores while it was measured.

/// What happened on the server's cores besides the server, in cores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interference {
    /// Used by other programs.
    pub(crate) other_programs: f64,
    /// Taken away by the hypervisor.
    pub(crate) stolen: f64,
}
