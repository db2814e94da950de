//! The flags for Locust: its address, and the credentials for it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use reqwest::header::HeaderValue;

use crate::cli::LocustArgs;
use crate::cluster::api::Authorities;
use crate::locust::{Address, LocustLocation, Login};
use crate::text::bounded;
use crate::text::go::url::mask_login;
use crate::text::terminal::conceal;

/// Maximum size of a file with a header, in bytes.
const MAX_HEADER: u64 = 16 * 1024;

/// Maximum size of a file with certificate authorities, in bytes. The bundle of a Linux distribution
/// has 220 KB.
const MAX_BUNDLE: u64 = 1024 * 1024;

/// Reads the flags. `default` is the address without `--locust`, and `targets` are the words beside the
/// flags.
///
/// # Errors
/// The address is invalid, a file cannot be used, a flag does not apply to the address, or one of the
/// targets is the value of `--locust`.
pub fn location(args: &LocustArgs, targets: &[String], default: Address) -> Result<LocustLocation> {
    if args.locust.is_some()
        && let Some(word) = targets.iter().find(|word| is_address(word))
    {
        let word = mask_login(word);
        bail!("{word:?} is an address of Locust, not a target: write it as --locust={word}");
    }
    let given = args.locust.as_deref().filter(|text| !text.is_empty());
    let address = match given {
        Some(text) => Address::parse(text).context(source_of(args))?,
        None => default,
    };
    let header = |flag: &str, path: &Option<PathBuf>| -> Result<_> {
        let Some(path) = path else { return Ok(None) };
        if !matches!(address, Address::Url(_)) {
            bail!(
                "{flag} needs --locust=URL, because the API server would see the credentials on the \
                 way to a Service"
            );
        }
        read_header(flag, path).map(Some)
    };
    let login = Login {
        cookie: header("--locust-cookie-file", &args.locust_cookie_file)?,
        authorization: header("--locust-auth-file", &args.locust_auth_file)?,
        authorities: authorities(&address, args.locust_certificate_authority.as_deref())?,
    };
    Ok(LocustLocation { address, login })
}

/// The flag or the variable that gives the address of Locust's master. clap reads both.
pub fn source_of(args: &LocustArgs) -> &'static str {
    match std::env::var("LOCUSTCTL_LOCUST") {
        Ok(value) if args.locust.as_ref() == Some(&value) => "$LOCUSTCTL_LOCUST",
        _ => "--locust",
    }
}

/// Refuses `none` for work that needs Locust. `location` was read from `args`.
///
/// # Errors
/// The address is `none`.
pub fn require_locust(work: &str, location: &LocustLocation, args: &LocustArgs) -> Result<()> {
    if location.address == Address::None {
        bail!("{work} needs Locust, so it cannot be used with {}=none", source_of(args));
    }
    Ok(())
}

/// The word is an address of Locust. None of these words can name a target: Services and pods cannot be
/// scaled, and no type has these names.
fn is_address(word: &str) -> bool {
    let is_special = matches!(word, "auto" | "none");
    let is_object = word.split_once('/').is_some_and(|(kind, _)| {
        matches!(kind, "service" | "services" | "svc" | "pod" | "pods" | "po")
    });
    is_special || is_object || word.contains("://")
}

fn authorities(address: &Address, path: Option<&Path>) -> Result<Option<Authorities>> {
    const FLAG: &str = "--locust-certificate-authority";
    let Some(path) = path else { return Ok(None) };
    if !address.is_encrypted() {
        bail!(
            "{FLAG} needs --locust=https://…: locustctl verifies Locust's certificate only for such \
             a URL"
        );
    }
    let bundle = read(FLAG, path, MAX_BUNDLE)?;
    let authorities = Authorities::from_pem(bundle).with_context(|| reading(FLAG, path))?;
    Ok(Some(authorities))
}

fn reading(flag: &str, path: &Path) -> String {
    format!("reading {flag}={}", path.display())
}

/// Reads a file of at most `limit` bytes.
fn read(flag: &str, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let name = || reading(flag, path);
    // Opening a named pipe would wait for a writer.
    if !path.metadata().with_context(name)?.is_file() {
        bail!("{}: this is not a regular file", name());
    }
    let file = File::open(path).with_context(name)?;
    match bounded::read(file, limit).with_context(name)? {
        Some(content) => Ok(content),
        None => bail!("{}: the file is larger than {} KB", name(), limit / 1024),
    }
}

fn read_header(flag: &str, path: &Path) -> Result<HeaderValue> {
    let content = read(flag, path, MAX_HEADER)?;
    let content = String::from_utf8_lossy(&content);
    let content = without_name(content.trim());
    conceal(content);
    content.split([' ', ';', '=']).for_each(conceal);
    let value = HeaderValue::from_str(content).ok().filter(|value| !value.is_empty());
    let mut value = value.with_context(|| {
        format!("{}: the file does not hold one line with a header's value", reading(flag, path))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Removes the header's name. A browser's developer tools copy it together with the value.
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
    fn the_value_of_a_header_is_read_with_or_without_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("header");
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            read_header("--locust-cookie-file", &path)
                .map(|value| value.to_str().unwrap().to_owned())
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
        let error = read_header("--locust-cookie-file", &path).unwrap_err().to_string();
        assert!(error.ends_with("this is not a regular file"), "{error}");
    }
}
