//! From the flags to Locust's master.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use reqwest::header::HeaderValue;

use crate::api::Client;
use crate::cli::LocustArgs;
use crate::locust::{Address, Error, Login, Master};
use crate::scaling::{Target, find_master};
use crate::terminal::conceal;

/// A header has less.
const LARGEST_FILE: u64 = 16 * 1024;

/// Where Locust's master is said to be, and who we are there.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where.
    pub address: Address,
    login: Login,
}

impl Asked {
    /// Reads the flags; `otherwise` is the address when none is given.
    ///
    /// # Errors
    /// What is no address, or a file that cannot be used.
    pub fn new(args: &LocustArgs, otherwise: Address) -> Result<Self> {
        let given = args.locust.as_deref().filter(|text| !text.is_empty());
        let address = match given {
            Some(text) => Address::parse(text).context("--locust")?,
            None => otherwise,
        };
        let header = |flag: &str, path: &Option<std::path::PathBuf>| -> Result<_> {
            let Some(path) = path else { return Ok(None) };
            if !matches!(address, Address::Url(_)) {
                bail!(
                    "{flag} needs --locust=URL: by way of the API server it would be shown to that"
                );
            }
            read(flag, path).map(Some)
        };
        let login = Login {
            cookie: header("--locust-cookie-file", &args.locust_cookie_file)?,
            authorization: header("--locust-auth-file", &args.locust_auth_file)?,
        };
        Ok(Self { address, login })
    }

    /// Finds the master of these workers; `None` when there is none, or it is not to be asked.
    ///
    /// # Errors
    /// It cannot be asked where it is said to be.
    pub async fn master<'a>(
        &self,
        client: &'a Client,
        target: &Target,
    ) -> Result<Option<Master<'a>>, Error> {
        find_master(client, &self.address, &self.login, &target.namespace, &target.name).await
    }
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
