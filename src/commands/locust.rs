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
    let mut content = String::new();
    File::open(path)
        .with_context(what)?
        .take(LARGEST_FILE)
        .read_to_string(&mut content)
        .with_context(what)?;
    let content = content.trim();
    conceal(content);
    content.split([' ', ';', '=']).for_each(conceal);
    let mut value = HeaderValue::from_str(content)
        .ok()
        .filter(|value| !value.is_empty())
        .with_context(|| format!("{}: it does not hold one line with a header's value", what()))?;
    value.set_sensitive(true);
    Ok(value)
}
