//! Keeps the server and the generator off each other's cores.

use std::io;
use std::marker::PhantomData;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// Which cores the server has and which the generator has, by the kernel's numbers.
///
/// ```
/// use zen_compare::Cores;
///
/// match Cores::split(None)? {
///     Some(Cores { server, generator }) => println!("{server:?}, and {generator:?} for the load"),
///     None => println!("the two share the only core"),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cores {
    /// Where servers run.
    pub server: Vec<usize>,
    /// Where the generator runs. It has one thread; further cores are left to the rest of the
    /// machine.
    pub generator: Vec<usize>,
}

impl Cores {
    /// Divides the cores that this process may use: `server_cores` for the server, by default half
    /// of them, and the rest for the generator. `None` when there is only one core, which the two
    /// must then share.
    ///
    /// # Errors
    /// When the server would get no core or leave none, or when the kernel does not tell which
    /// cores there are.
    pub fn split(server_cores: Option<usize>) -> io::Result<Option<Self>> {
        Self::divide(&allowed()?, server_cores)
    }

    fn divide(allowed: &[usize], server_cores: Option<usize>) -> io::Result<Option<Self>> {
        let wanted = match server_cores {
            None if allowed.len() < 2 => return Ok(None),
            None => allowed.len() / 2,
            Some(wanted) if (1..allowed.len()).contains(&wanted) => wanted,
            Some(wanted) => {
                let message = format!(
                    "cannot give {wanted} cores to the server: of the {} this process may use, the server needs \
                     one and the generator another",
                    allowed.len()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        };
        // The first core is where a machine does its housekeeping, so it goes to the generator.
        let (generator, server) = allowed.split_at(allowed.len() - wanted);
        Ok(Some(Self { server: server.into(), generator: generator.into() }))
    }
}

/// The cores that the calling thread may use.
pub(crate) fn allowed() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|&core| set.is_set(core).unwrap_or(false)).collect())
}

/// Holds the calling thread on some cores, and gives it back its former ones when dropped.
///
/// Threads and processes that it starts meanwhile begin on the same cores: a server does not run
/// elsewhere even for a moment.
#[derive(Debug)]
pub(crate) struct Pinned {
    before: CpuSet,
    /// Affinity belongs to a thread, so the guard must not be sent to another.
    _stays: PhantomData<*const ()>,
}

impl Pinned {
    /// Pins the calling thread to these cores.
    pub(crate) fn pin_to(cores: &[usize]) -> io::Result<Self> {
        let this_thread = Pid::from_raw(0);
        let before = sched_getaffinity(this_thread)?;
        let mut set = CpuSet::new();
        for &core in cores {
            set.set(core)?;
        }
        sched_setaffinity(this_thread, &set)?;
        Ok(Self { before, _stays: PhantomData })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // This fails only when those cores have been taken away; the kernel has then moved the
        // thread itself.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_divided() {
        let divide =
            |cores: &[usize], wanted| Cores::divide(cores, wanted).unwrap().map(|c| (c.generator, c.server));
        assert_eq!(divide(&[5], None), None);
        assert_eq!(divide(&[0, 1], None), Some((vec![0], vec![1])));
        assert_eq!(divide(&[1, 3, 5, 7], None), Some((vec![1, 3], vec![5, 7])));
        assert_eq!(divide(&[0, 1, 2], None), Some((vec![0, 1], vec![2])));
        assert_eq!(divide(&[0, 1, 2, 3], Some(3)), Some((vec![0], vec![1, 2, 3])));
        for wanted in [0, 2, 3] {
            assert!(Cores::divide(&[0, 1], Some(wanted)).is_err());
        }
    }

    #[test]
    fn a_pinned_thread_has_pinned_children_and_is_released() {
        let before = allowed().unwrap();
        let core = before[before.len() - 1];
        {
            let _pinned = Pinned::pin_to(&[core]).unwrap();
            assert_eq!(allowed().unwrap(), [core]);
            assert_eq!(std::thread::spawn(|| allowed().unwrap()).join().unwrap(), [core]);
        }
        assert_eq!(allowed().unwrap(), before);
        assert!(Pinned::pin_to(&[]).is_err());
    }
}
