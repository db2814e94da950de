//! The signals that end the program.

use anyhow::{Context, Result};

/// A signal from Ctrl-C, from `kill`, or from a terminal that was closed.
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
    /// The number of the signal. A shell reports 128 plus this number as exit code.
    pub fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}

/// Waits for the first signal. From this call on, the signals do not end the program by themselves.
/// A signal that was ignored at the start, as with `nohup`, stays ignored.
///
/// # Errors
/// The operating system refuses the handler.
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

/// True if the process ignores the signal. Only Linux can tell without `unsafe`; elsewhere the answer
/// is no.
#[cfg(unix)]
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.number() - 1)) != 0)
}

/// Waits for Ctrl-C.
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
