//! The outputs as a whole, on a report in which everything happens.

mod devtools;
mod drawn;
mod files;
mod fixture;
