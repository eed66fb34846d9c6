//! Bridges to the crates that async Rust has agreed on, each behind a feature of its name.

#[cfg(feature = "codec")]
mod codec;
#[cfg(feature = "codec")]
mod codec_framing;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "codec")]
pub use codec::{Codec, CodecError};
#[cfg(feature = "codec")]
pub use codec_framing::CodecFraming;
#[cfg(feature = "tower")]
pub use tower::Tower;
