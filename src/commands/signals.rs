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

/// Ends with the first of them. From the call on none ends the program by itself.
///
/// # Errors
/// The system takes no handler.
#[cfg(unix)]
pub fn first() -> Result<impl Future<Output = Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("waiting for SIGHUP")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
            _ = hang_up.recv() => Signal::HangUp,
        }
    })
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
