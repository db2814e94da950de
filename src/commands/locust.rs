//! From the flags to Locust's master.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use reqwest::header::HeaderValue;

use crate::cli::LocustArgs;
use crate::locust::{Address, Login};
use crate::scaling::Whereabouts;
use crate::terminal::conceal;

/// A header has less.
const LARGEST_FILE: u64 = 16 * 1024;

/// Reads the flags; `otherwise` is the address when none is given.
///
/// # Errors
/// What is no address, or a file that cannot be used.
pub fn whereabouts(args: &LocustArgs, otherwise: Address) -> Result<Whereabouts> {
    let given = args.locust.as_deref().filter(|text| !text.is_empty());
    let address = match given {
        Some(text) => Address::parse(text).context("--locust")?,
        None => otherwise,
    };
    let header = |flag: &str, path: &Option<PathBuf>| -> Result<_> {
        let Some(path) = path else { return Ok(None) };
        if !matches!(address, Address::Url(_)) {
            bail!("{flag} needs --locust=URL: by way of the API server it would be shown to that");
        }
        read(flag, path).map(Some)
    };
    let login = Login {
        cookie: header("--locust-cookie-file", &args.locust_cookie_file)?,
        authorization: header("--locust-auth-file", &args.locust_auth_file)?,
    };
    Ok(Whereabouts { address, login })
}

fn read(flag: &str, path: &Path) -> Result<HeaderValue> {
    let what = || format!("reading {flag}={}", path.display());
    // Opening a pipe would wait for somebody who writes.
    if !path.metadata().with_context(what)?.is_file() {
        bail!("{}: it is not a file", what());
    }
    let mut content = String::new();
    let file = File::open(path).with_context(what)?;
    file.take(LARGEST_FILE + 1).read_to_string(&mut content).with_context(what)?;
    if content.len() as u64 > LARGEST_FILE {
        bail!("{}: it is larger than 16 KB, which is no header", what());
    }
    let content = without_name(content.trim());
    conceal(content);
    content.split([' ', ';', '=']).for_each(conceal);
    let mut value = HeaderValue::from_str(content)
        .ok()
        .filter(|value| !value.is_empty())
        .with_context(|| format!("{}: it does not hold one line with a header's value", what()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A browser's tools copy the header's name along.
fn without_name(line: &str) -> &str {
    let named = line.split_once(':').filter(|(name, _)| {
        ["cookie", "authorization"].iter().any(|known| name.eq_ignore_ascii_case(known))
    });
    named.map_or(line, |(_, value)| value.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headers_value_is_read_with_its_name_or_without_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("header");
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            read("--locust-cookie-file", &path).map(|value| value.to_str().unwrap().to_owned())
        };
        for content in ["session=abcdefgh", "Cookie: session=abcdefgh\n", " session=abcdefgh \r\n"]
        {
            assert_eq!(read(content).unwrap(), "session=abcdefgh", "{content:?}");
        }
        let large = "x".repeat(17 * 1024);
        for content in ["", "\n", "a=b\nc=d", &large] {
            assert!(read(content).is_err(), "{} bytes", content.len());
        }
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = super::read("--locust-cookie-file", &path).unwrap_err().to_string();
        assert!(error.ends_with("it is not a file"), "{error}");
    }
}
