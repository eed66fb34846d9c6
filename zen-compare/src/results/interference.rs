//! How much others used the server's cores while it was measured.

/// How much others used the server's cores, in cores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interference {
    /// Used by other programs.
    pub(crate) other_programs: f64,
    /// Taken away by the hypervisor.
    pub(crate) stolen: f64,
}
