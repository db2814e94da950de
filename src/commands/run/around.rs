//! Runs the user's command while the workers are scaled up.

use std::ffi::OsString;

use tokio::time::{Instant, sleep_until};

use super::ended::Ended;
use super::interruptions::{Haste, Interruptions, SIGNAL_LIMIT};
use super::site::{Locust, Site};
use crate::locust::{Address, LocustLocation};
use crate::run::{LocalRelay, PhaseKind, URL_VARIABLE, UserCommand};
use crate::text::terminal::{on_one_line, say};

impl Site<'_> {
    /// Runs the command, and returns its exit code. Signals are passed on.
    ///
    /// # Errors
    /// The command cannot be started, or a signal came. In both cases it is not running any more.
    pub(super) async fn run_command(
        &self,
        words: &[OsString],
        location: &LocustLocation,
        interruptions: &mut Interruptions,
    ) -> Result<u8, Ended> {
        let failed = |error: anyhow::Error| Ended::failed(PhaseKind::Command, format!("{error:#}"));
        let relay = match &self.locust {
            Some(Locust { master, .. }) => {
                let namespace = &self.target.namespace;
                let login = &location.login;
                let relay = LocalRelay::start(master.address(), self.client, namespace, login);
                relay.await.map_err(failed)?
            }
            None => None,
        };
        let url = match (&relay, self.locust.as_ref().map(|locust| locust.master.address())) {
            (Some(relay), _) => Some(relay.url()),
            (None, Some(Address::Url(url))) => Some(url.to_string()),
            (None, _) => None,
        };
        if let Some(url) = &url {
            say(&on_one_line(&format!("${URL_VARIABLE} is {url}")));
        }
        let mut command = UserCommand::start(words, url.as_deref())
            .map_err(|error| failed(anyhow::Error::from(error).context("it cannot be started")))?;
        let serving = async {
            match &relay {
                Some(relay) => relay.serve().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            code = wait(&mut command, interruptions) => code,
            () = serving => Ok(0),
        }
    }
}

/// Waits for the command. After a signal it is given [`SIGNAL_LIMIT`] to end.
async fn wait(command: &mut UserCommand, interruptions: &mut Interruptions) -> Result<u8, Ended> {
    let mut first = None;
    let mut end = Instant::now();
    loop {
        tokio::select! {
            code = command.wait() => return match (code, first) {
                (_, Some(signal)) => Err(Ended::Signal(signal)),
                (Ok(code), None) => Ok(code),
                (Err(error), None) => Err(Ended::failed(PhaseKind::Command, error)),
            },
            signal = interruptions.next() => {
                command.pass_on(signal.number());
                if first.is_none() {
                    first = Some(signal);
                    end = Instant::now() + SIGNAL_LIMIT;
                }
                if interruptions.haste() > Haste::Orderly {
                    return Err(Ended::Signal(first.unwrap_or(signal)));
                }
            }
            () = sleep_until(end), if first.is_some() => {
                say("The command does not end after the signal, so locustctl kills it");
                return first.map_or(Ok(0), |signal| Err(Ended::Signal(signal)));
            }
        }
    }
}
