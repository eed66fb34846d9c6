//! The command line of an example server: an address, a flavor, and the files of TLS.

use std::path::PathBuf;

use crate::flavor::{Flavor, UnknownFlavor};

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// Where to listen, as `HOST:PORT` or `unix:PATH`.
    pub address: String,
    /// The flavor, `mio` if none was named.
    pub flavor: Flavor,
    /// PEM files with the certificate chain and its private key, if there is to be TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// Why a command line is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The arguments are not an address and the options that are known.
    #[error(
        "usage: ADDRESS [--flavor FLAVOR] [--tls-cert FILE --tls-key FILE], where ADDRESS is HOST:PORT or unix:PATH"
    )]
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
        let mut arguments = arguments.into_iter();
        let address = arguments.next().filter(|word| !word.starts_with('-')).ok_or(UsageError::Usage)?;
        let (mut flavor, mut certificate, mut key) = (Flavor::Mio, None, None);
        while let Some(option) = arguments.next() {
            let value = arguments.next().ok_or(UsageError::Usage)?;
            match option.as_str() {
                "--flavor" => flavor = value.parse()?,
                "--tls-cert" => certificate = Some(value.into()),
                "--tls-key" => key = Some(value.into()),
                _ => return Err(UsageError::Usage),
            }
        }
        let tls = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => return Err(UsageError::Usage),
        };
        Ok(Self { address, flavor, tls })
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
        let expected = CommandLine { address, flavor: Flavor::AsyncMulti, tls: None };
        assert_eq!(parse("127.0.0.1:6390 --flavor async-multi"), Ok(expected));
        assert_eq!(parse("127.0.0.1:0").map(|line| line.flavor), Ok(Flavor::Mio));
        let tls = parse("unix:/run/zen --tls-key k --flavor pool --tls-cert c").map(|line| line.tls);
        assert_eq!(tls, Ok(Some(("c".into(), "k".into()))));
        for wrong in ["", "--flavor mio", "127.0.0.1:0 --flavor", "a b c d", "a --tls-cert c"] {
            assert_eq!(parse(wrong), Err(UsageError::Usage), "{wrong}");
        }
        let error = parse("127.0.0.1:0 --flavor fast").expect_err("no such flavor").to_string();
        assert!(error.contains("fast") && error.contains("mio-multi"), "{error}");
    }
}
