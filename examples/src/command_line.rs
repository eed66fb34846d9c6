//! The command line of an example server: `ADDRESS [--flavor FLAVOR]`.

use crate::flavor::{Flavor, UnknownFlavor};

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// Where to listen, as `HOST:PORT`.
    pub address: String,
    /// The flavor, `mio` if none was named.
    pub flavor: Flavor,
}

/// Why a command line is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The arguments are not an address and an optional flavor.
    #[error("usage: ADDRESS [--flavor FLAVOR], for example 127.0.0.1:0 --flavor mio")]
    Usage,
    /// There is no such flavor.
    #[error(transparent)]
    Flavor(#[from] UnknownFlavor),
}

impl CommandLine {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// [`UsageError`] says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, UsageError> {
        let arguments: Vec<String> = arguments.into_iter().collect();
        let (address, flavor) = match &arguments[..] {
            [address] => (address, Flavor::Mio),
            [address, option, flavor] if option == "--flavor" => (address, flavor.parse()?),
            _ => return Err(UsageError::Usage),
        };
        if address.starts_with('-') {
            return Err(UsageError::Usage);
        }
        Ok(Self { address: address.clone(), flavor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<CommandLine, UsageError> {
        CommandLine::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_address_and_a_flavor() {
        let address = "127.0.0.1:6390".to_owned();
        let expected = CommandLine { address, flavor: Flavor::AsyncMulti };
        assert_eq!(parse("127.0.0.1:6390 --flavor async-multi"), Ok(expected));
        assert_eq!(parse("127.0.0.1:0").map(|line| line.flavor), Ok(Flavor::Mio));
        for wrong in ["", "--flavor mio", "127.0.0.1:0 --flavor", "a b c d"] {
            assert_eq!(parse(wrong), Err(UsageError::Usage), "{wrong}");
        }
        let error = parse("127.0.0.1:0 --flavor fast").expect_err("no such flavor").to_string();
        assert!(error.contains("fast") && error.contains("mio-multi"), "{error}");
    }
}
