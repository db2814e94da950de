//! The signals that end a program from outside.

use anyhow::{Context, Result};

/// Ctrl-C, `kill`, or a terminal that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT
    Interrupt,
    /// SIGTERM
    Terminate,
    /// SIGHUP
    HangUp,
}

impl Signal {
    /// The signal's number, as in a shell's exit code of 128 and that.
    pub fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

/// Ends with the first of them. From the call on none ends the program by itself; those that were
/// ignored when it was started, as by `nohup`, still are.
///
/// # Errors
/// The system takes no handler.
#[cfg(unix)]
pub fn first() -> Result<impl Future<Output = Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |which: Signal| match is_ignored(which) {
        true => Ok(None),
        false => {
            let kind = SignalKind::from_raw(which.number().into());
            signal(kind).map(Some).with_context(|| format!("waiting for {which:?}"))
        }
    };
    let wait = async |listener: Option<tokio::signal::unix::Signal>| match listener {
        Some(mut listener) => listener.recv().await,
        None => std::future::pending().await,
    };
    let interrupt = listen(Signal::Interrupt)?;
    let terminate = listen(Signal::Terminate)?;
    let hang_up = listen(Signal::HangUp)?;
    Ok(async move {
        tokio::select! {
            _ = wait(interrupt) => Signal::Interrupt,
            _ = wait(terminate) => Signal::Terminate,
            _ = wait(hang_up) => Signal::HangUp,
        }
    })
}

/// Linux tells without `unsafe`; elsewhere nothing is known to be ignored.
#[cfg(unix)]
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.number() - 1)) != 0)
}

/// Ends with Ctrl-C.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn first() -> Result<impl Future<Output = Signal>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    })
}
